/* The byte stream on standard input and output. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "hil_port.h"

size_t hil_port_read(uint8_t *bytes, size_t size)
{
    for (;;) {
        ssize_t got = read(STDIN_FILENO, bytes, size);
        if (got > 0) {
            return (size_t)got;
        }
        if (got == 0 || errno != EINTR) {
            exit(0);
        }
    }
}

void hil_port_write(const uint8_t *bytes, size_t size)
{
    while (size > 0U) {
        ssize_t put = write(STDOUT_FILENO, bytes, size);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            exit(0);
        }
        bytes += put;
        size -= (size_t)put;
    }
}
