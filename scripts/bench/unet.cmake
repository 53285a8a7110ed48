# scripts/bench/unet.cmake - the bench of a U-Net: one batch forward, one step of training
if(TARGET locum_models AND TARGET locum_plan)
    add_executable(bench_unet ${CMAKE_CURRENT_LIST_DIR}/bench_unet.c)
    target_link_libraries(bench_unet PRIVATE locum_models locum_plan locum_warnings m)
    set_target_properties(bench_unet PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endif()
