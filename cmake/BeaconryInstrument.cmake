# Instruments as targets: instrument_NAME is a program, image_NAME its image in images/ of the build
# folder, instrument_images all of them. In the static preset programs are static-pie; else, also
# with sanitizers, an image gets the libraries of this machine that its programs need.
set(BEACONRY_INSTRUMENTS "" CACHE STRING
    "Folders of instruments outside this source, each with a CMakeLists.txt")
set(BEACONRY_INSTRUMENT_KEY "" CACHE FILEPATH "Secret key that images are signed with")
set(BEACONRY_INSTRUMENT_BASE "" CACHE FILEPATH "Alpine minirootfs that images are built on")
add_custom_target(instrument_images)

# beaconry_instrument_image(NAME FOLDER [FILES HOST:PATH...] [DEPENDS ...]): image_NAME of FOLDER.
function(beaconry_instrument_image name folder)
  cmake_parse_arguments(arg "" "" "FILES;DEPENDS" ${ARGN})
  set(options --output "${PROJECT_BINARY_DIR}/images")
  foreach(file ${arg_FILES})
    list(APPEND options --file "${file}")
  endforeach()
  if(BEACONRY_INSTRUMENT_KEY)
    list(APPEND options --key "${BEACONRY_INSTRUMENT_KEY}")
  endif()
  if(BEACONRY_INSTRUMENT_BASE)
    list(APPEND options --base "${BEACONRY_INSTRUMENT_BASE}")
  endif()
  add_custom_target(image_${name}
    COMMAND beaconry instrument build "${folder}" ${options}
    DEPENDS beaconry ${arg_DEPENDS}
    COMMENT "Packing the instrument ${name}"
    VERBATIM)
  add_dependencies(instrument_images image_${name})
endfunction()

# beaconry_instrument(NAME [FOLDER folder] SOURCES ... [USES ...] [SYSTEM ...] [PROGRAMS target...]):
# the program of the instrument whose manifest.yaml is in FOLDER (this one, if not said), linked to the
# SDK and to our libraries USES. stage_NAME puts it, other targets' PROGRAMS and the manifest into
# instruments/staged/NAME of the build folder, without debugging information: what `beaconry
# instrument build` makes an image of.
function(beaconry_instrument name)
  cmake_parse_arguments(arg "" "FOLDER" "SOURCES;USES;SYSTEM;PROGRAMS" ${ARGN})
  set(folder "${CMAKE_CURRENT_SOURCE_DIR}")
  if(arg_FOLDER)
    set(folder "${arg_FOLDER}")
  endif()
  list(TRANSFORM arg_SOURCES PREPEND "${folder}/")
  add_executable(instrument_${name} ${arg_SOURCES})
  set_target_properties(instrument_${name} PROPERTIES OUTPUT_NAME "${name}"
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/instruments/programs")
  target_link_libraries(instrument_${name} PRIVATE beaconry_options beaconry_sdk ${arg_SYSTEM})
  foreach(used ${arg_USES})
    target_link_libraries(instrument_${name} PRIVATE beaconry_${used})
  endforeach()
  set(staged "${PROJECT_BINARY_DIR}/instruments/staged/${name}")
  add_custom_command(OUTPUT "${staged}/manifest.yaml"
    COMMAND "${CMAKE_COMMAND}" -E copy "${folder}/manifest.yaml" "${staged}/manifest.yaml"
    DEPENDS "${folder}/manifest.yaml" VERBATIM)
  set(steps "${staged}/manifest.yaml")
  set(files "")
  foreach(program instrument_${name} ${arg_PROGRAMS})
    set(file "${staged}/$<TARGET_FILE_NAME:${program}>")
    set(stamp "${CMAKE_CURRENT_BINARY_DIR}/${name}.${program}.stamp")
    add_custom_command(OUTPUT "${stamp}"
      COMMAND "${CMAKE_COMMAND}" -E make_directory "${staged}"
      COMMAND "${CMAKE_STRIP}" -o "${file}" "$<TARGET_FILE:${program}>"
      COMMAND "${CMAKE_COMMAND}" -E touch "${stamp}"
      DEPENDS ${program} VERBATIM)
    list(APPEND steps "${stamp}")
    list(APPEND files "${file}:/instrument/$<TARGET_FILE_NAME:${program}>")
  endforeach()
  add_custom_target(stage_${name} DEPENDS ${steps})
  beaconry_instrument_image(${name} "${folder}" FILES ${files} DEPENDS stage_${name})
endfunction()

# Those from outside, once everything that they may link is there.
function(beaconry_outer_instruments)
  foreach(folder ${BEACONRY_INSTRUMENTS})
    get_filename_component(name "${folder}" NAME)
    add_subdirectory("${folder}" "${PROJECT_BINARY_DIR}/outer/${name}")
  endforeach()
endfunction()
