/* Commands in, answers out. A command ends with '%'; whatever the line brings, no more than one command is kept. */
#include <string.h>

#include "hil_build.h"
#include "hil_port.h"
#include "mlperf.h"

#define COMMAND_MAX 255U

static char command[COMMAND_MAX + 1U];
static char *words[MLPERF_WORDS];
static char nothing[1];

static uint8_t chunk[64];
static size_t chunk_size;
static size_t chunk_at;

static uint8_t next_byte(void)
{
    if (chunk_at >= chunk_size) {
        chunk_size = hil_port_read(chunk, sizeof chunk);
        chunk_at = 0;
    }
    return chunk[chunk_at++];
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool split(void)
{
    size_t count = 0;
    char *at = command;
    for (size_t i = 0; i < MLPERF_WORDS; i++) {
        words[i] = nothing;
    }
    for (;;) {
        while (is_blank(*at)) {
            *at++ = '\0';
        }
        if (*at == '\0') {
            return true;
        }
        if (count == MLPERF_WORDS) {
            return false;
        }
        words[count++] = at;
        while (*at != '\0' && !is_blank(*at)) {
            at++;
        }
    }
}

char *const *mlperf_next_command(void)
{
    size_t used = 0;
    for (;;) {
        uint8_t byte = next_byte();
        if (byte == (uint8_t)'%') {
            break;
        }
        if (used < COMMAND_MAX) {
            command[used] = byte == 0U ? '?' : (char)byte; /* a zero would hide what follows it */
        }
        used += used <= COMMAND_MAX ? 1U : 0U;
    }
    if (used > COMMAND_MAX) {
        return NULL;
    }
    command[used] = '\0';
    return split() ? words : NULL;
}

void mlperf_ready(void)
{
    mlperf_put("m-ready");
    mlperf_end_line();
}

static void tell_name(void)
{
    mlperf_put("m-name-dut-[tinyhil ");
    mlperf_put(hil_board);
    mlperf_put("]");
    mlperf_end_line();
}

/* The first line is what the benchmark's own hosts know this kind of firmware by. */
static void tell_profile(void)
{
    mlperf_put("m-profile-[ULPMark for tinyML Firmware V0.0.1]");
    mlperf_end_line();
    mlperf_put("m-model-[");
    mlperf_put(mlperf_model_id);
    mlperf_put("]");
    mlperf_end_line();
}

static void tell_help(void)
{
    static const char *const lines[] = {
        "name, profile, timestamp: what this is, and its clock",
        "db load N, then db HEX...: N bytes of input, any number at a time",
        "db print [N=16] [OFFSET=0], db free: show or forget them",
        "infer N [W=10]: N inferences after W that are not timed",
        "results: the last outputs again",
        "setup: the model to its beginning, no input; reset: start anew",
    };
    mlperf_put("tinyhil, build ");
    mlperf_put(hil_build_id);
    mlperf_end_line();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        mlperf_put(lines[i]);
        mlperf_end_line();
    }
}

static void do_setup(void)
{
    mlperf_forget_buffer();
    mlperf_setup();
    mlperf_put("m-setup-done");
    mlperf_end_line();
}

static void carry_out(char *const *given)
{
    const char *name = given[0];
    if (strcmp(name, "name") == 0) {
        tell_name();
    } else if (strcmp(name, "profile") == 0) {
        tell_profile();
    } else if (strcmp(name, "timestamp") == 0) {
        mlperf_timestamp();
    } else if (strcmp(name, "help") == 0) {
        tell_help();
    } else if (strcmp(name, "db") == 0) {
        mlperf_do_db(given);
    } else if (strcmp(name, "infer") == 0) {
        mlperf_do_infer(given);
    } else if (strcmp(name, "results") == 0) {
        mlperf_do_results();
    } else if (strcmp(name, "setup") == 0) {
        do_setup();
    } else if (strcmp(name, "reset") == 0) {
        hil_port_reset();
    } else if (*name != '\0') {
        mlperf_put("e-[Unknown command: ");
        mlperf_put_shown(name);
        mlperf_put("]");
        mlperf_end_line();
    }
}

_Noreturn void hil_main(void)
{
    mlperf_start_clock();
    mlperf_setup();
    mlperf_put("m-init-done");
    mlperf_end_line();
    for (;;) {
        mlperf_ready();
        char *const *given = mlperf_next_command();
        if (given == NULL) {
            mlperf_error("Command of too many words or characters");
        } else {
            carry_out(given);
        }
    }
}
