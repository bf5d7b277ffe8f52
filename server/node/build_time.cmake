# Writes OUTPUT with the time of the last commit of SOURCE_DIR, in GMT. Runs at every build; the file is touched only when
# the time changed, so that nothing but build_time.cpp is compiled anew.
set(ENV{TZ} UTC)
execute_process(
  COMMAND git -C "${SOURCE_DIR}" log -1 --date=format-local:%m/%d/%Y\ %H:%M --format=%cd
  OUTPUT_VARIABLE time OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  set(time "01/01/1970 00:00")
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT "#define WK_BUILD_TIME \"${time} GMT\"\n")
