# CPack runs this in the staged tree: Debian wants manual page and changelog compressed, without
# a time stamp so that the same source gives the same package.
file(GLOB_RECURSE pages "${CPACK_TEMPORARY_DIRECTORY}/usr/share/man/*.1")
file(GLOB_RECURSE changelogs "${CPACK_TEMPORARY_DIRECTORY}/usr/share/doc/*/changelog*")
foreach(file ${pages} ${changelogs})
  execute_process(COMMAND gzip -9nf "${file}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
