/* Text in and out, without a printf: what a C library's would need of flash and stack is a multiple of all this. */
#include <string.h>

#include "hil_port.h"
#include "mlperf.h"

static struct {
    char bytes[128];
    size_t used;
} out;

static void flush(void)
{
    hil_port_write((const uint8_t *)out.bytes, out.used);
    out.used = 0;
}

void mlperf_put_char(char c)
{
    if (out.used == sizeof out.bytes) {
        flush();
    }
    out.bytes[out.used++] = c;
}

void mlperf_put(const char *text)
{
    while (*text != '\0') {
        mlperf_put_char(*text++);
    }
}

void mlperf_end_line(void)
{
    mlperf_put("\r\n");
    flush();
}

void mlperf_put_unsigned(uint64_t value)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + (int)(value % 10U));
        value /= 10U;
    } while (value != 0U);
    while (count > 0U) {
        mlperf_put_char(digits[--count]);
    }
}

void mlperf_put_signed(int64_t value)
{
    if (value < 0) {
        mlperf_put_char('-');
    }
    mlperf_put_unsigned(value < 0 ? 0U - (uint64_t)value : (uint64_t)value);
}

void mlperf_put_hex(uint32_t value, uint32_t digits)
{
    while (digits > 0U) {
        digits--;
        mlperf_put_char("0123456789abcdef"[(value >> (4U * digits)) & 15U]);
    }
}

void mlperf_put_real(double value)
{
    int32_t power = 0;
    if (value != value) {
        mlperf_put("nan");
        return;
    }
    if (value < 0.0) {
        mlperf_put_char('-');
        value = -value;
    }
    if (value > 1e300) {
        mlperf_put("inf");
        return;
    }
    while (value >= 1e9) {
        value /= 10.0;
        power++;
    }
    bool small = value > 0.0 && value < 1e-3;
    while (small && value < 1.0) {
        value *= 10.0;
        power--;
    }
    uint64_t millionths = (uint64_t)(value * 1e6 + 0.5);
    mlperf_put_unsigned(millionths / 1000000U);
    mlperf_put_char('.');
    uint32_t decimals = (uint32_t)(millionths % 1000000U);
    for (uint32_t unit = 100000U; unit > 0U; unit /= 10U) {
        mlperf_put_char((char)('0' + (int)(decimals / unit % 10U)));
    }
    if (power != 0) {
        mlperf_put_char('e');
        mlperf_put_signed(power);
    }
}

void mlperf_say(const char *prefix, uint64_t value)
{
    mlperf_put(prefix);
    mlperf_put_char('-');
    mlperf_put_unsigned(value);
    mlperf_end_line();
}

void mlperf_error(const char *text)
{
    mlperf_put("e-[");
    mlperf_put(text);
    mlperf_put("]");
    mlperf_end_line();
}

void mlperf_put_shown(const char *text)
{
    for (size_t i = 0; i < 32U && text[i] != '\0'; i++) {
        bool plain = text[i] > ' ' && text[i] < 0x7F && text[i] != '[' && text[i] != ']';
        mlperf_put_char(plain ? text[i] : '?');
    }
}

bool mlperf_number(const char *text, uint32_t most, uint32_t *value)
{
    uint64_t sum = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        sum = sum * 10U + (uint64_t)(*text - '0');
        if (sum > most) {
            return false;
        }
    }
    *value = (uint32_t)sum;
    return true;
}
