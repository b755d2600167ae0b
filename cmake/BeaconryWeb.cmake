# beaconry_web_page(OUT): OUT is the web page of web/ as C++, built by npm from its lock file.
#
# BEACONRY_WEB: AUTO (where npm is found and its packages can be had), ON (else an error), OFF. The
# packages are fetched when this is configured, so that a machine that cannot have them is told then;
# the page is built with the rest. Nothing is written into web/.
set(BEACONRY_WEB "AUTO" CACHE STRING "Build the web page into beaconry-control: AUTO, ON or OFF")
set_property(CACHE BEACONRY_WEB PROPERTY STRINGS AUTO ON OFF)

function(beaconry_web_page out)
  set(why "")
  find_program(NPM npm)
  find_program(NODE NAMES node nodejs)
  set(source "${PROJECT_SOURCE_DIR}/web")
  set(work "${PROJECT_BINARY_DIR}/web")
  if(NOT BEACONRY_WEB)
    set(why "BEACONRY_WEB is OFF")
  elseif(BEACONRY_STATIC AND BEACONRY_WEB STREQUAL "AUTO")
    set(why "static programs do not serve it")
  elseif(NOT NPM OR NOT NODE)
    set(why "npm or node is not installed (scripts/setup build installs them)")
  else()
    beaconry_npm_packages("${source}" "${work}" why)
  endif()
  if(why)
    if(BEACONRY_WEB STREQUAL "ON")
      message(FATAL_ERROR "The web page cannot be built: ${why}")
    endif()
    message(STATUS "Without the web page: ${why}")
    set(BEACONRY_HAS_WEB OFF CACHE INTERNAL "The web page is built in")
    file(CONFIGURE OUTPUT "${out}" @ONLY CONTENT "// Generated: without the web page.
#include \"web/assets.h\"

namespace beaconry {
std::span<const WebAsset> web_assets() {
  return {};
}
}  // namespace beaconry
")
    return()
  endif()
  set(BEACONRY_HAS_WEB ON CACHE INTERNAL "The web page is built in")

  set(folders src public)
  set(files embed.mjs index.html package.json package-lock.json tsconfig.json vite.config.ts)
  set(depends "")
  foreach(folder ${folders})
    file(GLOB_RECURSE found CONFIGURE_DEPENDS "${source}/${folder}/*")
    list(APPEND depends ${found})
  endforeach()
  list(TRANSFORM files PREPEND "${source}/" OUTPUT_VARIABLE tops)
  set(copies "")
  foreach(folder ${folders})
    list(APPEND copies COMMAND "${CMAKE_COMMAND}" -E rm -rf "${work}/${folder}"
      COMMAND "${CMAKE_COMMAND}" -E copy_directory "${source}/${folder}" "${work}/${folder}")
  endforeach()
  add_custom_command(OUTPUT "${out}"
    ${copies}
    COMMAND "${CMAKE_COMMAND}" -E copy ${tops} "${work}"
    COMMAND "${NPM}" run --silent build -- --logLevel warn
    COMMAND "${NODE}" embed.mjs dist "${out}"
    DEPENDS ${depends} ${tops}
    WORKING_DIRECTORY "${work}"
    COMMENT "Building the web page"
    VERBATIM)
endfunction()

# beaconry_npm_packages(SOURCE WORK WHY): the packages of SOURCE/package-lock.json in WORK/node_modules,
# fetched when the lock changed. WHY: set to what is wrong.
function(beaconry_npm_packages source work why)
  set(lock "${source}/package-lock.json")
  set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${lock}")
  file(SHA256 "${lock}" wanted)
  set(have "")
  if(EXISTS "${work}/node_modules/.beaconry")
    file(READ "${work}/node_modules/.beaconry" have)
  endif()
  if(have STREQUAL wanted)
    return()
  endif()
  file(COPY "${source}/package.json" "${lock}" DESTINATION "${work}")
  message(STATUS "Fetching the packages of ${lock}")
  # No install scripts: none is needed, and what is fetched runs as little as can be.
  execute_process(COMMAND "${NPM}" ci --ignore-scripts --no-audit --no-fund --prefer-offline
    --loglevel error
    WORKING_DIRECTORY "${work}" RESULT_VARIABLE status OUTPUT_QUIET ERROR_VARIABLE words TIMEOUT 300)
  if(NOT status EQUAL 0)
    string(STRIP "${words}" words)
    set(${why} "npm ci in ${work} failed (${status}): ${words}" PARENT_SCOPE)
    return()
  endif()
  file(WRITE "${work}/node_modules/.beaconry" "${wanted}")
endfunction()
