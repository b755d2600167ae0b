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

# beaconry_instrument(NAME SOURCES ... [USES ...] [SYSTEM ...] [PROGRAMS target...]): the program of
# the instrument whose manifest.yaml is in this folder, linked to the SDK and to our libraries USES.
# The image has it, and other targets' PROGRAMS, in /instrument, without debugging information.
function(beaconry_instrument name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;SYSTEM;PROGRAMS" ${ARGN})
  add_executable(instrument_${name} ${arg_SOURCES})
  set_target_properties(instrument_${name} PROPERTIES OUTPUT_NAME "${name}")
  target_link_libraries(instrument_${name} PRIVATE beaconry_options beaconry_sdk ${arg_SYSTEM})
  foreach(used ${arg_USES})
    target_link_libraries(instrument_${name} PRIVATE beaconry_${used})
  endforeach()
  set(stripped "${CMAKE_CURRENT_BINARY_DIR}/stripped")
  file(MAKE_DIRECTORY "${stripped}")
  set(files "")
  foreach(program instrument_${name} ${arg_PROGRAMS})
    set(file "${stripped}/$<TARGET_FILE_NAME:${program}>")
    add_custom_target(strip_${name}_${program}
      COMMAND "${CMAKE_STRIP}" -o "${file}" "$<TARGET_FILE:${program}>"
      DEPENDS ${program}
      VERBATIM)
    list(APPEND files "${file}:/instrument/$<TARGET_FILE_NAME:${program}>")
    list(APPEND steps strip_${name}_${program})
  endforeach()
  beaconry_instrument_image(${name} "${CMAKE_CURRENT_SOURCE_DIR}" FILES ${files} DEPENDS ${steps})
endfunction()

# Those from outside, once everything that they may link is there.
function(beaconry_outer_instruments)
  foreach(folder ${BEACONRY_INSTRUMENTS})
    get_filename_component(name "${folder}" NAME)
    add_subdirectory("${folder}" "${PROJECT_BINARY_DIR}/outer/${name}")
  endforeach()
endfunction()
