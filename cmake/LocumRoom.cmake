# locum_add_room(NAME core SOURCES a.c b.c [LIBRARIES other rooms and external targets])
# makes the static library locum_<name> (position independent). Its include folders and definitions are the project's.
function(locum_add_room)
    cmake_parse_arguments(R "" "NAME" "SOURCES;LIBRARIES" ${ARGN})
    add_library(locum_${R_NAME} STATIC ${R_SOURCES})
    target_link_libraries(locum_${R_NAME} PRIVATE $<BUILD_INTERFACE:locum_warnings> PUBLIC ${R_LIBRARIES} m)
endfunction()
