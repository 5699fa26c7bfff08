/* Runs of models: what they leave to be read, and what measuring them costs. */
#ifndef HIL_RUN_H
#define HIL_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hil_compare.h"
#include "hil_model.h"

typedef struct {
    uint32_t observer; /* what a layer's figure holds too much, in 1/256 ticks */
    uint32_t pair;     /* what a layer costs the observed run, in 1/256 ticks */
    uint32_t run;      /* what a run's figure holds too much, in 1/256 ticks */
    uint32_t loop_instructions;
    uint32_t loop_ticks;
} hil_calibration;

extern hil_calibration hil_calibrated;

/* Once, at start. */
void hil_calibrate(void);

/* The model in hand and what its runs left to be read. */
typedef struct {
    const hil_model *model; /* NULL before INIT */
    uint32_t paint_seed;
    uint32_t runs;    /* since INIT */
    bool stopped;     /* after a layer, whose outputs are still whole */
    uint32_t run_stack_used;
    uintptr_t stack_lowest_ever;
    uint64_t layer_ticks[HIL_MAX_LAYERS];
    union { /* a run measures stacks or compares, never both */
        uint32_t layer_stack[HIL_MAX_LAYERS];
        hil_expected expected;
    };
} hil_session_state;

extern hil_session_state hil_session;

/* Whether the port can tell where the stack is. */
bool hil_stack_known(void);

/* The lowest stack byte written since the last painting. */
uintptr_t hil_stack_lowest(void);

/* True when CONTINUE's body names the run and layer that are stopped. */
bool hil_is_stopped_at(const uint8_t *body, size_t size);

#endif
