# bench_product: our product kernel beside OpenBLAS; built only where OpenBLAS was found.
if(OPENBLAS_FOUND)
    add_executable(bench_product ${CMAKE_CURRENT_LIST_DIR}/bench_product.c)
    target_link_libraries(bench_product PRIVATE locum_kernels locum_core PkgConfig::OPENBLAS locum_warnings m)
    set_target_properties(bench_product PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endif()
