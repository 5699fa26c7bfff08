/* Requests in, one frame at a time. */
#ifndef HIL_REQUEST_H
#define HIL_REQUEST_H

#include "hil_frame.h"

/* Waits for the next undamaged frame, which is whole until the next call. */
const hil_receiver *hil_next_frame(void);

/* Waits for the next request that was not seen before. */
const hil_receiver *hil_next_request(void);

/* The next frame is the last one again. */
void hil_hold_frame(void);

#endif
