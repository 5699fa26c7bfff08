/* The line under the byte stream, where it is a serial one. A port without a rate leaves all this as hil_line.c has
 * it. */
#ifndef HIL_LINE_H
#define HIL_LINE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t baud;     /* 0: the line has no rate */
    uint32_t overruns; /* since boot: times that bytes came faster than they were taken, and were lost */
    uint32_t framing;  /* bytes without a stop bit */
    uint32_t noise;    /* bytes with a bit that was not read the same three times */
} hil_line_state;

extern hil_line_state hil_line;

/* Whether the line can go at a rate. */
bool hil_port_baud_possible(uint32_t baud);

/* Sends what is still to be sent, then changes the rate. Unless a good frame follows within half a second, and while
 * bytes come that are no bytes at this rate, the port goes back to the rate it has after reset. */
void hil_port_baud(uint32_t baud);

/* An undamaged frame came. */
void hil_port_good_frame(void);

#endif
