/* Init, invoke, and what is measured around them. */
#include <string.h>

#include "hil_answer.h"
#include "hil_fault.h"
#include "hil_handlers.h"
#include "hil_paint.h"
#include "hil_port.h"
#include "hil_run.h"
#include "hil_ticks.h"

#define CALIBRATION_ROUNDS 256U
#define LOOP_INSTRUCTIONS 8000U

#define OBSERVING (HIL_INVOKE_PROFILE | HIL_INVOKE_STEP | HIL_INVOKE_LAYER_STACK | HIL_INVOKE_COMPARE)

hil_calibration hil_calibrated;

hil_session_state hil_session;

static uint64_t context[HIL_CONTEXT_MAX / sizeof(uint64_t)];

/* Serves requests while this run is stopped; NULL once the host has given it up. */
static hil_stopped_server *serve;

static uint8_t mode; /* HIL_INVOKE_* of the run */
static hil_digest compared; /* digests of what this run has compared, together */
static uint16_t answer_room; /* most bytes of tensors in an answer */
static uint32_t layer_start;
static uint64_t layer_start_coarse;

static uint64_t run_ticks;
static uintptr_t run_stack_top; /* where invoke's frames begin */

/* --- stack ------------------------------------------------------------------------------------------------------- */

bool hil_stack_known(void)
{
    return hil_port_stack_high() != 0U;
}

/* Paints what lies under the caller's frame. The margin keeps clear of this function's own frame and of hil_paint_stack's. */
static __attribute__((noinline)) void repaint_stack(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    hil_paint_stack(hil_port_stack_low(), here - 64U);
}

uintptr_t hil_stack_lowest(void)
{
    uintptr_t lowest = hil_paint_stack_lowest(hil_port_stack_low(), hil_port_stack_high());
    if (lowest < hil_session.stack_lowest_ever) {
        hil_session.stack_lowest_ever = lowest;
    }
    return lowest;
}

static void check_guard(void)
{
    if (!hil_port_guard_intact()) {
        hil_fault_record record;
        memset(&record, 0, sizeof record);
        record.kind = HIL_FAULT_STACK;
        record.registers[13] = (uintptr_t)__builtin_frame_address(0);
        hil_fault(&record);
    }
}

/* --- observing --------------------------------------------------------------------------------------------------- */

static uint8_t *put_run_state(uint8_t *p, uint8_t is_stopped, int32_t status)
{
    p = hil_put32(p, hil_now.run);
    p = hil_put8(p, is_stopped);
    p = hil_put32(p, hil_now.layer);
    p = hil_put32(p, (uint32_t)status);
    return hil_put64(p, run_ticks);
}

/* all of the tensors' bytes where they fit into what the host left room for, else none */
static uint8_t *put_tensors(uint8_t *p, const hil_tensor *tensors, uint32_t count)
{
    size_t room = HIL_ANSWER_ROOM - (size_t)(p - hil_answer_body());
    size_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += tensors[i].size;
    }
    if (total > answer_room || total > room) {
        return p;
    }
    for (uint32_t i = 0; i < count; i++) {
        memcpy(p, hil_arena + tensors[i].offset, tensors[i].size);
        p += tensors[i].size;
    }
    return p;
}

static void stop_after_layer(const hil_layer *layer)
{
    uint8_t *body = hil_answer_body();
    run_ticks = 0;
    hil_session.stopped = true;
    uint8_t *p = put_tensors(put_run_state(body, 1, 0), layer->outputs, layer->output_count);
    hil_answer(HIL_OK, (size_t)(p - body));
    if (!serve()) {
        serve = NULL;
    }
    hil_session.stopped = false;
}

/* Comparing takes no part in any layer's time: the counter was read before. */
static bool stops_after(uint32_t layer)
{
    if ((mode & (HIL_INVOKE_STEP | HIL_INVOKE_COMPARE)) == 0U || serve == NULL) {
        return false;
    }
    return (mode & HIL_INVOKE_STEP) != 0U ||
           !hil_layer_as_expected(hil_session.model, layer, &hil_session.expected, &compared);
}

static __attribute__((noinline)) void layer_done(uint32_t layer, uint32_t stop)
{
    hil_session.layer_ticks[layer] = hil_elapsed(layer_start, stop, hil_port_tick_coarse() - layer_start_coarse);
    if ((mode & HIL_INVOKE_LAYER_STACK) != 0U) {
        hil_session.layer_stack[layer] = (uint32_t)(run_stack_top - hil_stack_lowest());
    }
    check_guard();
    if (stops_after(layer)) {
        stop_after_layer(&hil_session.model->layers[layer]);
    }
}

static __attribute__((noinline)) void layer_begins(uint32_t layer)
{
    hil_now.layer = layer;
    if ((mode & HIL_INVOKE_LAYER_STACK) != 0U) {
        repaint_stack();
    }
    layer_start_coarse = hil_port_tick_coarse();
}

/* The counter is read last on the way into a layer and first on the way out. */
static void observe(void *user, uint32_t layer, uint32_t phase)
{
    (void)user;
    if (phase == HIL_LAYER_END) {
        uint32_t stop = hil_port_tick();
        layer_done(layer, stop);
    } else {
        layer_begins(layer);
        layer_start = hil_port_tick();
    }
}

static __attribute__((noinline)) int32_t timed_invoke(const hil_model *model, hil_observer observer)
{
    uint64_t coarse = hil_port_tick_coarse();
    uint32_t start = hil_port_tick();
    int32_t status = model->invoke(context, observer, NULL);
    uint32_t stop = hil_port_tick();
    run_ticks = hil_elapsed(start, stop, hil_port_tick_coarse() - coarse);
    return status;
}

static int32_t invoke_nothing(void *c, hil_observer observer, void *user)
{
    (void)c;
    (void)observer;
    (void)user;
    return 0;
}

/* The shape of generated code around a layer, without the layer. */
static __attribute__((noinline)) void invoke_empty_layer(hil_observer observer, void *user)
{
    if (observer != NULL) {
        observer(user, 0U, HIL_LAYER_BEGIN);
    }
    if (observer != NULL) {
        observer(user, 0U, HIL_LAYER_END);
    }
}

/* Mean over many rounds, which resolves fractions of a tick; on a host, where other work disturbs, the least. */
void hil_calibrate(void)
{
    static const hil_model nothing = {.invoke = invoke_nothing};
    hil_observer volatile observer = observe;
    uint32_t sums[3] = {0, 0, 0};
    uint32_t least[3] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
    /* Set here, at boot: initializers would put the whole record into flash. */
    hil_session.run_stack_used = HIL_UNKNOWN;
    hil_session.stack_lowest_ever = UINTPTR_MAX;
    mode = 0;
    if (hil_stack_known()) {
        repaint_stack();
    }
    for (uint32_t i = 0; i < CALIBRATION_ROUNDS; i++) {
        uint32_t values[3];
        uint32_t begin = hil_port_tick();
        invoke_empty_layer(observer, NULL);
        values[1] = hil_port_tick() - begin;
        values[0] = (uint32_t)hil_session.layer_ticks[0];
        (void)timed_invoke(&nothing, NULL);
        values[2] = (uint32_t)run_ticks;
        for (size_t k = 0; k < 3U; k++) {
            sums[k] += values[k];
            least[k] = values[k] < least[k] ? values[k] : least[k];
        }
    }
    bool exact = hil_port.tick_unit == HIL_TICK_EMULATED;
    uint32_t overhead[3];
    for (size_t k = 0; k < 3U; k++) {
        overhead[k] = exact ? sums[k] * 256U / CALIBRATION_ROUNDS : least[k] * 256U;
    }
    /* The pair was timed from outside by two reads of its own, which cost what an empty run costs. */
    hil_calibrated.observer = overhead[0];
    hil_calibrated.pair = overhead[1] > overhead[2] ? overhead[1] - overhead[2] : 0U;
    hil_calibrated.run = overhead[2];
    uint32_t begin = hil_port_tick();
    hil_calibrated.loop_instructions = hil_port_known_loop(LOOP_INSTRUCTIONS);
    hil_calibrated.loop_ticks = hil_port_tick() - begin;
    hil_now.layer = HIL_NO_LAYER;
}

/* --- requests ---------------------------------------------------------------------------------------------------- */

static bool tensors_fit(const hil_tensor *tensors, uint32_t count, uint32_t arena_size)
{
    for (uint32_t i = 0; i < count; i++) {
        if (tensors[i].offset > arena_size || tensors[i].size > arena_size - tensors[i].offset) {
            return false;
        }
    }
    return true;
}

static bool is_sound(const hil_model *model)
{
    bool sound = model->arena_size <= hil_arena_size && model->context_size <= HIL_CONTEXT_MAX &&
                 tensors_fit(model->inputs, model->input_count, model->arena_size) &&
                 tensors_fit(model->outputs, model->output_count, model->arena_size);
    for (uint32_t i = 0; sound && i < model->layer_count; i++) {
        sound = tensors_fit(model->layers[i].outputs, model->layers[i].output_count, model->arena_size);
    }
    return sound;
}

/* u16 model, u32 paint seed -> i32 the model's status */
void hil_do_init(const uint8_t *body, size_t size)
{
    if (size != 6U) {
        hil_answer(HIL_BAD_LENGTH, 0);
        return;
    }
    uint32_t index = hil_get16(body);
    if (index >= hil_model_count || !is_sound(hil_models[index])) {
        hil_answer(HIL_BAD_MODEL, 0);
        return;
    }
    const hil_model *model = hil_models[index];
    hil_session.paint_seed = hil_get32(body + 2);
    hil_accept();
    hil_now = (hil_activity){HIL_PHASE_INIT, (uint16_t)index, 0, HIL_NO_LAYER};
    hil_session.runs = 0;
    hil_session.run_stack_used = HIL_UNKNOWN;
    hil_paint(hil_arena, hil_arena_size, hil_session.paint_seed);
    memset(context, 0, sizeof context);
    int32_t status = model->init(context, hil_arena, model->arena_size);
    hil_session.model = status == 0 ? model : NULL;
    hil_now.phase = HIL_PHASE_IDLE;
    (void)hil_put32(hil_answer_body(), (uint32_t)status);
    hil_answer(status == 0 ? HIL_OK : HIL_MODEL_FAILED, 4U);
}

/* What came with INVOKE: first what is expected, where the run compares, then all inputs. */
static bool write_inline(const uint8_t *bytes, size_t size, bool compares)
{
    size_t expected = compares ? hil_expected_size(hil_session.model) : 0U;
    size_t total = expected;
    for (uint32_t i = 0; i < hil_session.model->input_count; i++) {
        total += hil_session.model->inputs[i].size;
    }
    if (total != size) {
        return false;
    }
    memcpy(&hil_session.expected, bytes, expected);
    bytes += expected;
    for (uint32_t i = 0; i < hil_session.model->input_count; i++) {
        memcpy(hil_arena + hil_session.model->inputs[i].offset, bytes, hil_session.model->inputs[i].size);
        bytes += hil_session.model->inputs[i].size;
    }
    return true;
}

/* The stack is painted up to this function's frame, in which invoke is called. */
static __attribute__((noinline)) int32_t run_model(void)
{
    /* A canary must be looked at after every layer, even where nothing is profiled. */
    bool observed = mode != 0U || hil_port_guard() == HIL_GUARD_CANARY;
    if (!hil_stack_known()) {
        return timed_invoke(hil_session.model, observed ? observe : NULL);
    }
    (void)hil_stack_lowest();
    repaint_stack();
    run_stack_top = (uintptr_t)__builtin_frame_address(0);
    int32_t status = timed_invoke(hil_session.model, observed ? observe : NULL);
    hil_session.run_stack_used = (uint32_t)(run_stack_top - hil_stack_lowest());
    check_guard();
    return status;
}

/* HIL_OK, or why these layers cannot be observed in this way. */
static uint8_t check_observing(uint8_t observing, const hil_model *model)
{
    bool compares = (observing & HIL_INVOKE_COMPARE) != 0U;
    if (compares && (observing & (HIL_INVOKE_STEP | HIL_INVOKE_LAYER_STACK)) != 0U) {
        return HIL_BAD_RANGE;
    }
    if ((observing != 0U || hil_port_guard() == HIL_GUARD_CANARY) && model->layer_count > HIL_MAX_LAYERS) {
        return HIL_TOO_MANY_LAYERS;
    }
    return compares && hil_expected_size(model) == 0U ? HIL_TOO_MANY_LAYERS : HIL_OK;
}

/* u32 run, u8 mode, u16 most bytes of tensors in the answer, and in mode INLINE what is expected (mode COMPARE), then
 * every input's bytes in turn
 * -> u32 run, u8 stopped, u32 layer, i32 the model's status, u64 ticks, at the end of mode COMPARE 16 bytes of digest,
 * and all outputs (stopped: the layer's) where they fit */
void hil_do_invoke(const uint8_t *body, size_t size, hil_stopped_server *serve_stopped)
{
    if (size < 7U) {
        hil_answer(HIL_BAD_LENGTH, 0);
        return;
    }
    if (hil_session.model == NULL) {
        hil_answer(HIL_BAD_STATE, 0);
        return;
    }
    uint8_t flags = body[4];
    answer_room = hil_get16(body + 5);
    uint8_t observing = flags & OBSERVING;
    uint8_t refused = (flags & ~(OBSERVING | HIL_INVOKE_INLINE)) != 0 ? (uint8_t)HIL_BAD_RANGE
                                                                       : check_observing(observing, hil_session.model);
    if (refused != HIL_OK) {
        hil_answer(refused, 0);
        return;
    }
    bool compares = (observing & HIL_INVOKE_COMPARE) != 0U;
    if ((flags & HIL_INVOKE_INLINE) != 0U ? !write_inline(body + 7, size - 7U, compares) : size != 7U) {
        hil_answer(HIL_BAD_LENGTH, 0);
        return;
    }
    hil_accept();
    hil_now.run = hil_get32(body);
    hil_now.phase = HIL_PHASE_INVOKE;
    hil_now.layer = HIL_NO_LAYER;
    mode = hil_stack_known() ? observing : observing & (uint8_t)~HIL_INVOKE_LAYER_STACK;
    serve = serve_stopped;
    compared = (hil_digest){{0, 0, 0, 0}};
    int32_t status = run_model();
    hil_session.runs++;
    hil_now.phase = HIL_PHASE_IDLE;
    hil_now.layer = HIL_NO_LAYER;
    if (serve == NULL) {
        return; /* its successor waits to be answered */
    }
    uint8_t *answer = hil_answer_body();
    uint8_t *p = put_run_state(answer, 0, status);
    if (compares) {
        memcpy(p, &compared, sizeof compared);
        p += sizeof compared;
    }
    if (status == 0) {
        p = put_tensors(p, hil_session.model->outputs, hil_session.model->output_count);
    }
    hil_answer(status == 0 ? HIL_OK : HIL_MODEL_FAILED, (size_t)(p - answer));
}

/* u32 run, u32 layer */
bool hil_is_stopped_at(const uint8_t *body, size_t size)
{
    return size == 8U && hil_get32(body) == hil_now.run && hil_get32(body + 4) == hil_now.layer;
}
