# beaconry_library(NAME SOURCES ... USES ... [SYSTEM ...])
# One folder of src/ as a target. USES names the folders it may include: they are linked
# publicly, and tests/include_graph checks that no include goes elsewhere. SYSTEM names
# libraries from outside. Files named *_test.cc become the test program NAME_test.
function(beaconry_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;SYSTEM;TESTS" ${ARGN})
  add_library(beaconry_${name} STATIC ${arg_SOURCES})
  target_link_libraries(beaconry_${name} PRIVATE beaconry_options)
  target_include_directories(beaconry_${name} PUBLIC "${PROJECT_SOURCE_DIR}/src")
  foreach(used ${arg_USES})
    target_link_libraries(beaconry_${name} PUBLIC beaconry_${used})
  endforeach()
  target_link_libraries(beaconry_${name} PUBLIC ${arg_SYSTEM})
  set_property(GLOBAL APPEND PROPERTY beaconry_folders "${name}:${arg_USES}")
  if(BUILD_TESTING AND arg_TESTS)
    beaconry_test(${name}_test SOURCES ${arg_TESTS} USES ${name})
  endif()
endfunction()

# beaconry_test(NAME SOURCES ... USES ... [SERIAL]): a GoogleTest program, one CTest entry a test. Its
# CTest label is NAME: `ctest -L source_test` runs one folder's. SERIAL: with nothing beside it.
# RapidCheck is at hand.
function(beaconry_test name)
  cmake_parse_arguments(arg "SERIAL" "" "SOURCES;USES;SYSTEM" ${ARGN})
  set(serial FALSE)
  if(arg_SERIAL)
    set(serial TRUE)
  endif()
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
  include(GoogleTest)
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE beaconry_options GTest::gmock GTest::gtest_main
    rapidcheck rapidcheck_gtest ${arg_SYSTEM})
  foreach(used ${arg_USES})
    target_link_libraries(${name} PRIVATE beaconry_${used})
  endforeach()
  if(BEACONRY_SANITIZE)
    target_compile_options(${name} PRIVATE -O0)  # see the programs in the root's CMakeLists.txt
  endif()
  target_compile_definitions(${name} PRIVATE
    BEACONRY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300 LABELS ${name}
    RUN_SERIAL ${serial})
endfunction()

# beaconry_fuzz(NAME USES ...): fuzz/NAME_fuzz.cc with its seeds in fuzz/corpus/NAME.
function(beaconry_fuzz name)
  cmake_parse_arguments(arg "" "" "USES;SYSTEM" ${ARGN})
  add_executable(${name}_fuzz ${name}_fuzz.cc)
  target_compile_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name}_fuzz PRIVATE beaconry_options ${arg_SYSTEM})
  foreach(used ${arg_USES})
    target_link_libraries(${name}_fuzz PRIVATE beaconry_${used})
  endforeach()
endfunction()
