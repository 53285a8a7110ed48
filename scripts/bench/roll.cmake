# bench_roll: a roll-out of 100 steps beside 100 evaluations
if(TARGET locum_runtime)
    add_executable(bench_roll ${CMAKE_CURRENT_LIST_DIR}/bench_roll.c)
    target_link_libraries(bench_roll PRIVATE locum_runtime locum_warnings m)
    set_target_properties(bench_roll PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endif()
