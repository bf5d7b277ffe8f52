# Writes OUTPUT with the git revision of SOURCE_DIR. Runs at every build; the file is touched only when the revision
# changed, so that nothing but build_info.cpp is compiled anew.
execute_process(
  COMMAND git -C "${SOURCE_DIR}" describe --always --dirty --abbrev=12 --exclude=*
  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  set(revision "unknown")
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT "#define WK_REVISION \"${revision}\"\n")
