/* What the parts of the runtime share. */
#ifndef HIL_RUNTIME_H
#define HIL_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hil_frame.h"
#include "hil_model.h"

#define HIL_MAX_LAYERS 256U

/* What the device is doing, for fault frames. */
typedef struct {
    uint8_t phase; /* HIL_PHASE_* */
    uint16_t model;
    uint32_t run;
    uint32_t layer; /* HIL_NO_LAYER where no observer runs */
} hil_activity;

extern hil_activity hil_now;

/* --- hil_serve.c ------------------------------------------------------------------------------------------------- */

/* Answers the request in hand: `body_size` bytes that were put at hil_answer_body(). */
uint8_t *hil_answer_body(void);
#define HIL_ANSWER_ROOM (HIL_FRAME_MAX - HIL_FRAME_HEAD - HIL_FRAME_CRC - 1U)
void hil_answer(uint8_t status, size_t body_size);

/* Tells the host that the request in hand has begun and may take long. */
void hil_accept(void);

/* Serves requests while a run is stopped after a layer; false when the host gave the run up. */
bool hil_serve_stopped(void);

/* Waits for the next undamaged frame. */
const hil_receiver *hil_next_frame(void);

/* --- hil_run.c --------------------------------------------------------------------------------------------------- */

typedef struct {
    uint32_t observer; /* what a layer's figure holds too much, in 1/256 ticks */
    uint32_t pair;     /* what a layer costs the observed run, in 1/256 ticks */
    uint32_t run;      /* what a run's figure holds too much, in 1/256 ticks */
    uint32_t loop_instructions;
    uint32_t loop_ticks;
} hil_calibration;

extern hil_calibration hil_calibrated;

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
    uint32_t layer_stack[HIL_MAX_LAYERS];
} hil_session_state;

extern hil_session_state hil_session;

bool hil_stack_known(void);

/* The lowest stack byte written since the last painting. */
uintptr_t hil_stack_lowest(void);

/* Request bodies; each sends its answer. */
void hil_do_init(const uint8_t *body, size_t size);
void hil_do_invoke(const uint8_t *body, size_t size);

/* True when CONTINUE's body names the run and layer that are stopped. */
bool hil_is_stopped_at(const uint8_t *body, size_t size);

/* --- hil_data.c -------------------------------------------------------------------------------------------------- */

void hil_do_write(const uint8_t *body, size_t size);
void hil_do_read(const uint8_t *body, size_t size);
void hil_do_watermark(void);

/* --- hil_describe.c ---------------------------------------------------------------------------------------------- */

void hil_do_hello(const uint8_t *body, size_t size);
void hil_do_model(const uint8_t *body, size_t size);

/* --- hil_line.c -------------------------------------------------------------------------------------------------- */

void hil_do_baud(const uint8_t *body, size_t size);
void hil_do_line(void);

/* --- hil_provoke.c, only with HIL_TEST_FAULTS -------------------------------------------------------------------- */

void hil_do_test(const uint8_t *body, size_t size);

/* --- hil_fault.c ------------------------------------------------------------------------------------------------- */

typedef struct {
    uint8_t kind;            /* HIL_FAULT_* */
    uintptr_t registers[17]; /* r0-r12, sp, lr, pc, xpsr */
    uint32_t cfsr;
    uint32_t hfsr;
    uintptr_t mmfar;
    uintptr_t bfar;
    const uintptr_t *stack;
    size_t stack_words;
} hil_fault_record;

/* Sends the fault frame, and again for every frame that comes, until RESET. Needs about 400 bytes of stack. */
_Noreturn void hil_fault(const hil_fault_record *record);

#endif
