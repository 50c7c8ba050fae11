// What host code of kernel files asks of OpenMP, so that the file compiles; nothing of it is run.
#pragma once

extern "C" {
int omp_get_max_threads(void);
int omp_get_num_procs(void);
int omp_get_num_threads(void);
int omp_get_thread_num(void);
void omp_set_num_threads(int);
double omp_get_wtime(void);
}
