# Writes locum_build_info.h: which commit this is, and how it was built. Runs at every build; touches the file only if it changed.
#   cmake -DSOURCE=... -DOUTPUT=... -DCOMPILER=... -DFLAGS=... -P build_info.cmake
set(commit "unknown")
find_program(GIT git)
if(GIT)
    set(ENV{GIT_OPTIONAL_LOCKS} 0)
    execute_process(COMMAND ${GIT} -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                    OUTPUT_VARIABLE found RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(failed EQUAL 0 AND found)
        set(commit "${found}")
    endif()
endif()
string(REPLACE "\\" "\\\\" FLAGS "${FLAGS}")
string(REPLACE "\"" "\\\"" FLAGS "${FLAGS}")
set(text "/* made by the build */
#define LOCUM_BUILD_COMMIT \"${commit}\"
#define LOCUM_BUILD_COMPILER \"${COMPILER}\"
#define LOCUM_BUILD_FLAGS \"${FLAGS}\"
")
set(old "")
if(EXISTS ${OUTPUT})
    file(READ ${OUTPUT} old)
endif()
if(NOT "${old}" STREQUAL "${text}")
    file(WRITE ${OUTPUT} "${text}")
endif()
