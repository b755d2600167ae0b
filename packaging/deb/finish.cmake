# CPack runs this in the staged tree. The configuration belongs to the system, not to /usr; Debian
# wants manual pages and changelog compressed, without a time stamp so that the same source gives
# the same package.
set(root "${CPACK_TEMPORARY_DIRECTORY}")
file(RENAME "${root}/usr/etc" "${root}/etc")
file(GLOB_RECURSE pages "${root}/usr/share/man/*.1" "${root}/usr/share/man/*.8")
file(GLOB_RECURSE changelogs "${root}/usr/share/doc/*/changelog*")
foreach(file ${pages} ${changelogs})
  execute_process(COMMAND gzip -9nf "${file}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
