# scripts/bench/mlp.cmake - the benches of a multilayer perceptron: evaluation through liblocum's calls, one step of training
if(TARGET locum_train)
    add_executable(bench_mlp ${CMAKE_CURRENT_LIST_DIR}/bench_mlp.c)
    target_link_libraries(bench_mlp PRIVATE locum_train locum_warnings m)
    set_target_properties(bench_mlp PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endif()
