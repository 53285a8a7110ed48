# bench_convolution: our convolution kernels beside oneDNN; built only where oneDNN is found.
find_path(LOCUM_DNNL_INCLUDE dnnl.h)
find_library(LOCUM_DNNL_LIBRARY dnnl)
if(LOCUM_DNNL_INCLUDE AND LOCUM_DNNL_LIBRARY)
    add_executable(bench_convolution ${CMAKE_CURRENT_LIST_DIR}/bench_convolution.c)
    target_include_directories(bench_convolution PRIVATE ${LOCUM_DNNL_INCLUDE})
    target_link_libraries(bench_convolution PRIVATE locum_kernels locum_core ${LOCUM_DNNL_LIBRARY} locum_warnings m)
    set_target_properties(bench_convolution PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endif()
