/* A part of a model on the Ethos-U: a command stream over its constants, the arena, and what else it asks for. */
#ifndef HIL_KERNELS_ETHOS_U_H
#define HIL_KERNELS_ETHOS_U_H

#include "hil_ethosu.h"
#include "kernel.h"

typedef struct {
    uint32_t words;
    uint32_t config;
    uint32_t constants, arena, fast, inputs, outputs; /* bytes of regions 0 to 4 */
} ethos_u_shape;

/* 0, or what hil_ethosu_run returns where the NPU fails. */
HIL_INLINE int32_t ethos_u(const uint32_t *commands, const uint8_t *constants, uint8_t *arena, uint8_t *fast, uint8_t *inputs,
                           uint8_t *outputs, const ethos_u_shape *s)
{
    const void *const bases[] = {constants, arena, fast, inputs, outputs};
    const uint32_t sizes[] = {s->constants, s->arena, s->fast, s->inputs, s->outputs};
    return hil_ethosu_run(commands, s->words, s->config, bases, sizes, 5);
}

#endif
