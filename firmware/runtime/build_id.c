/* The only file that knows which image it is in: all other objects can be cached. */
#include "hil_build.h"

#ifndef HIL_BUILD_ID
#error "the builder passes HIL_BUILD_ID"
#endif
#ifndef HIL_BOARD
#error "the builder passes HIL_BOARD"
#endif

const char hil_build_id[] = HIL_BUILD_ID;
const char hil_board[] = HIL_BOARD;
