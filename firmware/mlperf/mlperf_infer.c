/* infer and results: warm-up, timed inferences, and what came of them. */
#include <string.h>

#include "hil_model.h"
#include "hil_port.h"
#include "hil_ticks.h"
#include "mlperf.h"

#define WARMUPS_BY_DEFAULT 10U
#define INFERENCES_MAX 1000000U

static uint64_t context[HIL_CONTEXT_MAX / sizeof(uint64_t)];
static int32_t status = -1; /* the model's last */
static bool done;           /* there are results */

/* --- time --------------------------------------------------------------------------------------------------------- */

static uint32_t started;
static uint64_t started_coarse;
static bool clock_runs;

void mlperf_start_clock(void)
{
    started_coarse = hil_port_tick_coarse();
    started = hil_port_tick();
    (void)hil_port_known_loop(8000U);
    clock_runs = hil_port_tick() != started;
}

static uint64_t ticks_since_start(void)
{
    uint32_t now = hil_port_tick();
    return hil_elapsed(started, now, hil_port_tick_coarse() - started_coarse);
}

static void tell_time(uint64_t ticks)
{
    uint64_t hz = hil_port.tick_hz;
    if (clock_runs) {
        mlperf_say("m-lap-us", ticks / hz * 1000000U + ticks % hz * 1000000U / hz);
    } else {
        mlperf_error("The tick counter does not run");
    }
}

void mlperf_timestamp(void)
{
    tell_time(ticks_since_start());
}

/* --- inferences --------------------------------------------------------------------------------------------------- */

void mlperf_setup(void)
{
    memset(context, 0, sizeof context);
    status = hil_models[0]->init(context, hil_arena, hil_models[0]->arena_size);
    done = false;
}

/* An inference may overwrite its input, so each gets it anew. */
static void infer(uint32_t times)
{
    const hil_model *model = hil_models[0];
    for (; times > 0U && status == 0; times--) {
        const uint8_t *from = mlperf_staged;
        for (uint32_t i = 0; i < model->input_count; i++) {
            memcpy(hil_arena + model->inputs[i].offset, from, model->inputs[i].size);
            from += model->inputs[i].size;
        }
        status = model->invoke(context, NULL, NULL);
    }
}

static void tell_failure(void)
{
    mlperf_put("e-[The model failed with status ");
    mlperf_put_signed(status);
    mlperf_put("]");
    mlperf_end_line();
}

void mlperf_do_infer(char *const *words)
{
    uint32_t count = 1;
    uint32_t warmups = WARMUPS_BY_DEFAULT;
    if (words[1][0] != '\0' && (!mlperf_number(words[1], INFERENCES_MAX, &count) || count == 0U)) {
        mlperf_error("Inference iterations must be >0 and at most 1000000");
        return;
    }
    if (words[2][0] != '\0' && !mlperf_number(words[2], INFERENCES_MAX, &warmups)) {
        mlperf_error("Inference warmup must be >=0 and at most 1000000");
        return;
    }
    if (!mlperf_buffer_full()) {
        mlperf_put("e-[This model's input is ");
        mlperf_put_unsigned(mlperf_buffer_size);
        mlperf_put(" bytes: load them first]");
        mlperf_end_line();
        return;
    }
    mlperf_convert_inputs();
    mlperf_setup();
    mlperf_say("m-warmup-start", warmups);
    infer(warmups);
    mlperf_put("m-warmup-done");
    mlperf_end_line();
    mlperf_say("m-infer-start", count);
    /* Both times are told afterwards, so that the line's time is in neither. */
    uint64_t start = ticks_since_start();
    infer(count);
    uint64_t stop = ticks_since_start();
    if (status != 0) {
        tell_failure();
        return;
    }
    if (!hil_port_guard_intact()) {
        status = -1;
        mlperf_error("The stack overflowed");
        return;
    }
    tell_time(start);
    tell_time(stop);
    mlperf_put("m-infer-done");
    mlperf_end_line();
    done = true;
    mlperf_tell_results();
}

void mlperf_do_results(void)
{
    if (!done) {
        mlperf_error("No inference has been made");
        return;
    }
    mlperf_tell_results();
}
