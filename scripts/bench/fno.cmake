# scripts/bench/fno.cmake - the bench of a Fourier neural operator: one batch forward, one step of training
if(TARGET locum_models AND TARGET locum_plan)
    add_executable(bench_fno ${CMAKE_CURRENT_LIST_DIR}/bench_fno.c)
    target_link_libraries(bench_fno PRIVATE locum_models locum_plan locum_warnings m)
    set_target_properties(bench_fno PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endif()
