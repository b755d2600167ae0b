# What `cmake --install` and the Debian package hold: the programs, what they themselves write about
# their options (manual pages and shell completions), units, configuration and documents.
set(generated "${PROJECT_BINARY_DIR}/generated")
add_custom_command(
  OUTPUT "${generated}/beaconry.1" "${generated}/beaconry.bash" "${generated}/_beaconry"
         "${generated}/beaconry.fish"
  COMMAND beaconry manual > "${generated}/beaconry.1"
  COMMAND beaconry completion bash > "${generated}/beaconry.bash"
  COMMAND beaconry completion zsh > "${generated}/_beaconry"
  COMMAND beaconry completion fish > "${generated}/beaconry.fish"
  DEPENDS beaconry
  COMMENT "Writing the manual page and the completions"
  VERBATIM)
set(pages "${generated}/beaconry.1")
foreach(daemon beaconry-control beaconry-collector beaconry-escape beaconry-home beaconry-sensor)
  add_custom_command(
    OUTPUT "${generated}/${daemon}.8"
    COMMAND "${PROJECT_SOURCE_DIR}/packaging/man/page" $<TARGET_FILE:${daemon}>
            "${PROJECT_SOURCE_DIR}/packaging/man/${daemon}.in" > "${generated}/${daemon}.8"
    DEPENDS ${daemon} "${PROJECT_SOURCE_DIR}/packaging/man/page"
            "${PROJECT_SOURCE_DIR}/packaging/man/${daemon}.in"
    COMMENT "Writing the manual page of ${daemon}"
    VERBATIM)
  list(APPEND pages "${generated}/${daemon}.8")
endforeach()
add_custom_target(beaconry_manual ALL
  DEPENDS ${pages} "${generated}/beaconry.bash" "${generated}/_beaconry"
          "${generated}/beaconry.fish")

# Only what is installed has to be built before `cmake --install`: no tests, no benchmarks.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

install(TARGETS beaconry beaconry-control beaconry-collector beaconry-escape beaconry-home
                beaconry-sensor
        RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(FILES "${generated}/beaconry.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${generated}/beaconry-control.8" "${generated}/beaconry-collector.8"
              "${generated}/beaconry-escape.8" "${generated}/beaconry-home.8"
              "${generated}/beaconry-sensor.8"
        DESTINATION "${CMAKE_INSTALL_MANDIR}/man8")
install(FILES "${PROJECT_SOURCE_DIR}/packaging/config.yaml"
        DESTINATION "${CMAKE_INSTALL_SYSCONFDIR}/beaconry")
# The sensor's two folders are there from the start, empty. What their files may hold is decided by
# packaging/deb/postinst.
install(DIRECTORY DESTINATION "${CMAKE_INSTALL_SYSCONFDIR}/beaconry/sensor.d")
install(DIRECTORY DESTINATION "${CMAKE_INSTALL_SYSCONFDIR}/beaconry/instrument-keys")
# The product's instruments are made by the static build (scripts/package), since their programs must
# not need this build's libraries.
set(BEACONRY_INSTRUMENT_IMAGES "" CACHE PATH "Folder of signed images that are installed too")
if(BEACONRY_INSTRUMENT_IMAGES)
  install(DIRECTORY "${BEACONRY_INSTRUMENT_IMAGES}/"
          DESTINATION "${CMAKE_INSTALL_DATADIR}/beaconry/instruments")
endif()
install(FILES "${PROJECT_SOURCE_DIR}/packaging/systemd/beaconry-control.service"
              "${PROJECT_SOURCE_DIR}/packaging/systemd/beaconry-collector.service"
              "${PROJECT_SOURCE_DIR}/packaging/systemd/beaconry-escape@.service"
              "${PROJECT_SOURCE_DIR}/packaging/systemd/beaconry-home.service"
              "${PROJECT_SOURCE_DIR}/packaging/systemd/beaconry-sensor.service"
        DESTINATION lib/systemd/system)
install(FILES "${PROJECT_SOURCE_DIR}/packaging/systemd/sysusers.conf"
        DESTINATION lib/sysusers.d RENAME beaconry.conf)
install(FILES "${generated}/beaconry.bash"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME beaconry)
install(FILES "${generated}/_beaconry"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions")
install(FILES "${generated}/beaconry.fish"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
install(FILES "${PROJECT_SOURCE_DIR}/README.md"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs/" DESTINATION "${CMAKE_INSTALL_DOCDIR}/docs"
        FILES_MATCHING PATTERN "*.md" PATTERN "*.yaml" PATTERN "decisions" EXCLUDE)

# The Debian package: `cpack -G DEB` in a build folder, or scripts/package.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME beaconry)
set(CPACK_PACKAGE_VENDOR "Beaconry contributors")
set(CPACK_PACKAGE_CONTACT "Beaconry contributors <maintainers@beaconry.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "find beacons on a network, live and in captures and logs")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Malware calls home on a schedule. Beaconry measures the rhythm of every\nconversation on a network, live by eBPF or from captures, Zeek logs and\nSuricata logs, and says which ones are a machine's, how sure it is, and why.\nWhether an isolated network is isolated, a probe inside and a home outside\nfind out. A sensor runs these and other tools as isolated instruments.\n.\nIt holds the collector, the server, probe and home, the sensor with its\ninstruments, and the command line. Nothing is started by being installed.\nThe sensor alone needs the packages that are suggested.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/packaging/deb/finish.cmake")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers, passwd")
# All but systemd are the sensor's: a server or a collector does without.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
    "systemd, lxd | incus, mosquitto, btrfs-progs, nftables, iproute2, busybox-static | busybox | udhcpc")
foreach(script conffiles postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/packaging/deb/${script}")
endforeach()
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
install(FILES "${PROJECT_SOURCE_DIR}/packaging/deb/copyright"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME changelog)
install(FILES "${PROJECT_SOURCE_DIR}/packaging/deb/changelog"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME changelog.Debian)
include(CPack)
