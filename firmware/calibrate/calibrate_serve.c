/* Requests in, ticks out, as lines of text: "FUNCTION ITERATIONS" is answered with "= TICKS", "?" with what this is. Whatever
 * else comes is answered with "! " and why; a line holds 63 bytes. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "calibrate.h"
#include "hil_build.h"
#include "hil_fault.h"
#include "hil_port.h"

#define LINE_MAX 63U

static uint32_t data[16] __attribute__((aligned(32)));
static uint32_t data_1[16] __attribute__((aligned(32)));

static void put(const char *text)
{
    hil_port_write((const uint8_t *)text, strlen(text));
}

static void put_number(uint32_t value)
{
    char digits[11];
    char *at = &digits[10];
    *at = '\0';
    do {
        *--at = (char)('0' + (int)(value % 10U));
        value /= 10U;
    } while (value != 0U);
    put(at);
}

/* The next line without its end, "" for one that is too long. */
static const char *next_line(void)
{
    static char line[LINE_MAX + 1U];
    size_t used = 0;
    for (;;) {
        uint8_t byte;
        (void)hil_port_read(&byte, 1U);
        if (byte == (uint8_t)'\n') {
            break;
        }
        if (used < LINE_MAX) {
            line[used] = (char)byte;
        }
        used += used <= LINE_MAX ? 1U : 0U;
    }
    line[used <= LINE_MAX ? used : 0U] = '\0';
    return line;
}

static bool number(const char **text, uint32_t most, uint32_t *value)
{
    const char *at = *text;
    uint32_t result = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint32_t digit = (uint32_t)(*at - '0');
        if (result > (most - digit) / 10U) {
            return false;
        }
        result = result * 10U + digit;
    }
    bool some = at != *text;
    *text = at;
    *value = result;
    return some;
}

static void say_what_this_is(void)
{
    put("calibrate ");
    put(hil_build_id);
    put(" ");
    put_number(calibrate_function_count);
    put(" ");
    put_number(hil_port.tick_hz);
    put("\n");
}

static void prepare(void)
{
    memset(data, 0, sizeof data);
    memset(data_1, 0, sizeof data_1);
    data[0] = (uint32_t)(uintptr_t)data;
}

/* The second of two equal runs counts: the first fills the caches and teaches the branch predictor. */
static uint32_t measure(calibrate_function function, uint32_t iterations)
{
    const calibrate_pointers pointers = {data, data_1, calibrate_rodata, calibrate_arena};
    uint32_t ticks = 0;
    for (uint32_t run = 0; run < 2U; run++) {
        prepare();
        uint32_t start = hil_port_tick();
        function(iterations, &pointers);
        ticks = hil_port_tick() - start;
    }
    return ticks;
}

static void answer(const char *line)
{
    if (strcmp(line, "?") == 0) {
        say_what_this_is();
        return;
    }
    uint32_t function;
    uint32_t iterations;
    const char *at = line;
    if (!number(&at, calibrate_function_count - 1U, &function) || *at++ != ' ' || !number(&at, 1000000U, &iterations)
        || *at != '\0' || iterations == 0U) {
        put("! not understood\n");
        return;
    }
    put("= ");
    put_number(measure(calibrate_functions[function], iterations));
    put("\n");
}

_Noreturn void hil_main(void)
{
    for (;;) {
        answer(next_line());
    }
}

_Noreturn void hil_fault(const hil_fault_record *record)
{
    for (;;) {
        put("! fault ");
        put_number(record->kind);
        put(" at ");
        put_number((uint32_t)record->registers[15]);
        put("\n");
        (void)next_line();
    }
}
