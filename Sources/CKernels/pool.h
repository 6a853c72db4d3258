// The thread pool of a `ck_compute`.
#ifndef PENSIEVE_POOL_H
#define PENSIEVE_POOL_H

#include "thread_pool.h"

typedef struct pool pool;

pool *pool_create(int threads);
void pool_destroy(pool *p);
void pool_for(pool *p, int count, int grain, ck_body body, void *context);

#endif
