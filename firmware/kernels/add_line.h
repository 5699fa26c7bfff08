/* ADD as one line: bits after the binary point of its multipliers (harness/kernels/add_line.py). */
#ifndef HIL_KERNELS_ADD_LINE_H
#define HIL_KERNELS_ADD_LINE_H

#define HIL_ADD_FRACTION_BITS 21
#define HIL_ADD_FRACTION_BITS_MVE 22

#endif
