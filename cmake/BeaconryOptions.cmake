# Language level, warnings and sanitizers, the same for every target.
option(BEACONRY_BENCH "Build the benchmarks" OFF)
option(BEACONRY_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(BEACONRY_PRECOMPILE "Parse common headers once (a missing include then shows nowhere)" OFF)
option(BEACONRY_STATIC "Link programs as static-pie: one file for any x86-64 Linux" OFF)
set(BEACONRY_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

if(BEACONRY_PRECOMPILE)
  # Of what was compiled once for all, some calls what is nowhere, and goes unless somebody needs it.
  add_link_options(-fuse-ld=lld -Wl,--gc-sections)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  if(BEACONRY_PRECOMPILE)
    # Without these it keeps nothing that uses a precompiled header.
    set(CCACHE env CCACHE_SLOPPINESS=pch_defines,time_macros "${CCACHE}")
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
  endif()
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

add_library(beaconry_options INTERFACE)
target_compile_options(beaconry_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 sees overlaps and overflows in its own library's copies that are not there (GCC PR 105651,
  # 105329).
  target_compile_options(beaconry_options INTERFACE
    -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endif()
target_include_directories(beaconry_options INTERFACE "${PROJECT_SOURCE_DIR}/src")

if(BEACONRY_SANITIZE)
  add_compile_options(-fsanitize=${BEACONRY_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BEACONRY_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND BEACONRY_SANITIZE MATCHES "undefined")
    # GoogleTest and RapidCheck are built without type information for this check.
    add_compile_options(-fno-sanitize=function)
    add_link_options(-fno-sanitize=function)
    # A check of each access that costs a quarter of the build: for libraries, not for what calls them.
    set(BEACONRY_PROGRAM_FLAGS -fno-sanitize=null,alignment,vptr)
  endif()
endif()
if(BEACONRY_FUZZ)
  # What fuzzers are guided by, a quarter of the build as well: they look into libraries alone.
  set(BEACONRY_LIBRARY_FLAGS -fsanitize=fuzzer-no-link)
endif()
set(is_program $<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>)
add_compile_options("$<${is_program}:${BEACONRY_PROGRAM_FLAGS}>" "$<$<NOT:${is_program}>:${BEACONRY_LIBRARY_FLAGS}>")
if(BEACONRY_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
  # What nothing calls goes, function by function, and relocations are packed: an eighth of a program's size.
  add_compile_options(-ffunction-sections -fdata-sections)
  add_link_options(-static-pie -Wl,--gc-sections -Wl,-z,pack-relative-relocs)
endif()
