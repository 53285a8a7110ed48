# bench_reading: frames of The Well's layout through the dataset's reader, beside raw read(2) of the same bytes.
if(TARGET locum_formats)
    add_executable(bench_reading ${CMAKE_CURRENT_LIST_DIR}/bench_reading.c)
    target_link_libraries(bench_reading PRIVATE locum_formats locum_store locum_study locum_parallel locum_core locum_warnings m)
    set_target_properties(bench_reading PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endif()
