/* db: the bytes of the next inference's input. */
#include <string.h>

#include "mlperf.h"

#define PRINTED_BY_DEFAULT 16U
#define PRINTED_PER_LINE 8U

static uint32_t announced;
static uint32_t filled;

void mlperf_forget_buffer(void)
{
    announced = 0;
    filled = 0;
}

bool mlperf_buffer_full(void)
{
    return announced == mlperf_buffer_size && filled == announced;
}

static void load(const char *size)
{
    uint32_t count;
    if (!mlperf_number(size, mlperf_buffer_size, &count) || count == 0U) {
        mlperf_put("e-[db load takes 1 to ");
        mlperf_put_unsigned(mlperf_buffer_size);
        mlperf_put(" bytes; this model's input is the most]");
        mlperf_end_line();
        return;
    }
    announced = count;
    filled = 0;
    mlperf_put("m-[Expecting ");
    mlperf_put_unsigned(count);
    mlperf_put(" bytes]");
    mlperf_end_line();
}

static int32_t digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* All of the bytes or, when anything is wrong with them, none. */
static void add(const char *hex)
{
    size_t count = strlen(hex);
    for (size_t i = 0; i < count; i++) {
        if (digit(hex[i]) < 0) {
            mlperf_put("e-[Invalid hex digit: ");
            mlperf_put_shown(hex + i);
            mlperf_put("]");
            mlperf_end_line();
            return;
        }
    }
    if (count % 2U != 0U) {
        mlperf_error("Insufficient number of hex digits");
    } else if (announced == 0U) {
        mlperf_error("db load comes first");
    } else if (count / 2U > announced - filled) {
        mlperf_error("More bytes than db load announced");
    } else {
        for (size_t i = 0; i < count; i += 2U) {
            mlperf_buffer[filled++] = (uint8_t)(digit(hex[i]) * 16 + digit(hex[i + 1U]));
        }
        if (filled == announced) {
            mlperf_put("m-load-done");
            mlperf_end_line();
        }
    }
}

static void print(const char *size, const char *from)
{
    uint32_t count = PRINTED_BY_DEFAULT;
    uint32_t offset = 0;
    if ((*size != '\0' && !mlperf_number(size, UINT32_MAX, &count)) ||
        (*from != '\0' && !mlperf_number(from, UINT32_MAX, &offset))) {
        mlperf_error("db print takes a number of bytes and an offset");
        return;
    }
    offset = offset < filled ? offset : filled;
    count = count < filled - offset ? count : filled - offset;
    for (uint32_t i = 0; i < count; i++) {
        mlperf_put(i % PRINTED_PER_LINE == 0U ? "m-buffer-" : "-");
        mlperf_put_hex(mlperf_buffer[offset + i], 2U);
        if ((i + 1U) % PRINTED_PER_LINE == 0U || i + 1U == count) {
            mlperf_end_line();
        }
    }
}

void mlperf_do_db(char *const *words)
{
    if (words[1][0] == '\0') {
        mlperf_error("Command 'db' requires a subcommand");
    } else if (strcmp(words[1], "load") == 0) {
        load(words[2]);
    } else if (strcmp(words[1], "print") == 0) {
        print(words[2], words[3]);
    } else if (strcmp(words[1], "free") == 0) {
        mlperf_forget_buffer();
    } else {
        add(words[1]);
    }
}
