# With BEACONRY_STATIC, every library from outside must be an archive. find_library() finds
# archives by its suffix (BeaconryOptions); packages that bring a CMake configuration name their
# shared library there. This turns every imported target to the archive beside it, once all
# folders are configured, so that no folder need know of the static build.
function(beaconry_use_archives directory)
  get_property(targets DIRECTORY "${directory}" PROPERTY IMPORTED_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL "SHARED_LIBRARY" AND NOT type STREQUAL "UNKNOWN_LIBRARY")
      continue()
    endif()
    get_target_property(configurations ${target} IMPORTED_CONFIGURATIONS)
    set(properties IMPORTED_LOCATION)
    if(configurations)
      foreach(configuration ${configurations})
        list(APPEND properties IMPORTED_LOCATION_${configuration})
      endforeach()
    endif()
    foreach(property ${properties})
      get_target_property(location ${target} ${property})
      if(location MATCHES "\\.so(\\.[0-9]+)*$")
        string(REGEX REPLACE "\\.so(\\.[0-9]+)*$" ".a" archive "${location}")
        # Test libraries and others that no program links may well have none: the linker will
        # name the one that is missed.
        if(EXISTS "${archive}")
          set_target_properties(${target} PROPERTIES ${property} "${archive}")
        endif()
      endif()
    endforeach()
  endforeach()
  get_property(children DIRECTORY "${directory}" PROPERTY SUBDIRECTORIES)
  foreach(child ${children})
    beaconry_use_archives("${child}")
  endforeach()
endfunction()

if(BEACONRY_STATIC)
  set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # imported targets can only be changed where visible
  cmake_language(DEFER CALL beaconry_use_archives "${CMAKE_SOURCE_DIR}")
endif()
