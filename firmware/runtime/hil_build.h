/* Which image this is; build_id.c. */
#ifndef HIL_BUILD_H
#define HIL_BUILD_H

extern const char hil_build_id[];
extern const char hil_board[];

#endif
