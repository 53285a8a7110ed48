# scripts/bench/navier_stokes.cmake - the bench of the periodic Navier-Stokes step, included by CMakeLists.txt
if(LOCUM_SOLVERS)
    add_executable(bench_navier_stokes ${CMAKE_CURRENT_LIST_DIR}/bench_navier_stokes.c)
    target_link_libraries(bench_navier_stokes PRIVATE locum_navier_stokes PkgConfig::FFTW locum_warnings m)
    set_target_properties(bench_navier_stokes PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endif()
