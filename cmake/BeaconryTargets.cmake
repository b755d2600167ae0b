# beaconry_library(NAME SOURCES ... USES ... [SYSTEM ...])
# One folder of src/ as a target. USES names the folders it may include: they are linked
# publicly, and tests/include_graph checks that no include goes elsewhere. SYSTEM names
# libraries from outside. Files named *_test.cc become the test program NAME_test. HOT: tests put
# so much through it that it is optimised a little also with sanitizers.
function(beaconry_library name)
  cmake_parse_arguments(arg "HOT" "" "SOURCES;USES;SYSTEM;TESTS" ${ARGN})
  add_library(beaconry_${name} STATIC ${arg_SOURCES})
  target_link_libraries(beaconry_${name} PRIVATE beaconry_options)
  target_include_directories(beaconry_${name} PUBLIC "${PROJECT_SOURCE_DIR}/src")
  foreach(used ${arg_USES})
    target_link_libraries(beaconry_${name} PUBLIC beaconry_${used})
  endforeach()
  target_link_libraries(beaconry_${name} PUBLIC ${arg_SYSTEM})
  set(heat)
  if(arg_HOT)
    set(heat HOT)
  endif()
  beaconry_precompiled(beaconry_${name} ${heat})
  set_property(GLOBAL APPEND PROPERTY beaconry_folders "${name}:${arg_USES}")
  if(BUILD_TESTING AND arg_TESTS)
    beaconry_test(${name}_test SOURCES ${arg_TESTS} USES ${name})
  endif()
endfunction()

# beaconry_precompiled(TARGET [PROGRAM | HOT]): with what most sources include of libraries parsed once instead of
# in each, and the functions and templates of that compiled once, if BEACONRY_PRECOMPILE says so: a half to a
# quarter of the time. What was compiled once is linked as an archive.
function(beaconry_precompiled target)
  if(NOT BEACONRY_PRECOMPILE)
    return()
  endif()
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "BEACONRY_PRECOMPILE needs clang's -fpch-codegen")
  endif()
  cmake_parse_arguments(arg "PROGRAM;HOT" "" "" ${ARGN})
  # What it is compiled for must be compiled alike.
  get_target_property(type ${target} TYPE)
  set(headers "${PROJECT_SOURCE_DIR}/cmake/precompiled.h")
  set(options)
  if(arg_PROGRAM)
    set(holder beaconry_program_headers)
    list(APPEND headers <CLI/CLI.hpp>)
  elseif(type STREQUAL EXECUTABLE)
    set(holder beaconry_test_headers)
    set(headers "${PROJECT_SOURCE_DIR}/cmake/precompiled_tests.h")
  elseif(arg_HOT)
    set(holder beaconry_hot_headers)
    set(options -O1)
    target_compile_options(${target} PRIVATE -O1)
  else()
    set(holder beaconry_headers)
  endif()
  if(NOT TARGET ${holder})
    set(source "${CMAKE_BINARY_DIR}/generated/precompiled.cc")
    file(WRITE "${source}" "int main() {}\n")
    if(type STREQUAL EXECUTABLE)
      add_executable(${holder} "${source}")
      # Nobody runs it, and what it was compiled with is linked to others.
      target_link_options(${holder} PRIVATE -Wl,--unresolved-symbols=ignore-all)
    else()
      add_library(${holder} OBJECT "${source}")
    endif()
    target_link_libraries(${holder} PRIVATE beaconry_options)
    if(holder STREQUAL beaconry_test_headers)
      target_link_libraries(${holder} PRIVATE GTest::gmock GTest::gtest_main rapidcheck rapidcheck_gtest)
    endif()
    target_compile_options(${holder} PRIVATE ${options}
      $<$<COMPILE_LANGUAGE:CXX>:-fpch-codegen> -Wno-unused-command-line-argument)
    target_precompile_headers(${holder} PRIVATE ${headers})
    set(precompiled "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${holder}.dir/cmake_pch.hxx.pch")
    set(object "${CMAKE_CURRENT_BINARY_DIR}/${holder}.o")
    string(TOUPPER "${CMAKE_BUILD_TYPE}" config)
    separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${config}} -fPIC")
    add_custom_command(OUTPUT "${object}"
      COMMAND "${CMAKE_CXX_COMPILER}" ${flags} ${options} -fsanitize=${BEACONRY_SANITIZE}
        -fno-omit-frame-pointer -fno-sanitize-recover=all -ffunction-sections -fdata-sections
        -Wno-unused-command-line-argument -c "${precompiled}" -o "${object}"
      DEPENDS "${precompiled}" VERBATIM)
    add_library(${holder}_code STATIC "${object}")
    set_target_properties(${holder}_code PROPERTIES LINKER_LANGUAGE CXX)
    add_dependencies(${holder}_code ${holder})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${holder})
  target_link_libraries(${target} PRIVATE ${holder}_code)
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
  beaconry_precompiled(${name})
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
