# bench_store: writing and reading a dataset beside dd on the same disk.
if(TARGET locum_store)
    add_executable(bench_store ${CMAKE_CURRENT_LIST_DIR}/bench_store.c)
    target_link_libraries(bench_store PRIVATE locum_store locum_study locum_parallel locum_core locum_warnings m)
    set_target_properties(bench_store PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endif()
