#ifndef MUTATION_SWITCH_H
#define MUTATION_SWITCH_H

#include <stdint.h>

// Which mutant is on, by the environment variable MUTANT: read once, before main. 0 for none.
extern int32_t mutation_active;
// A byte for each number, in the file that MUTATION_REACHED names and that all processes of a run share; NULL without.
extern uint8_t *mutation_reached;
extern int32_t mutation_reached_count;

// The mutant that is on, where it is one of these; 0 otherwise. Notes that the piece of program was reached.
static inline int32_t mutation_switch(int32_t first, int32_t last) {
    if (mutation_reached && first < mutation_reached_count)
        __atomic_store_n(&mutation_reached[first], 1, __ATOMIC_RELAXED);
    return mutation_active >= first && mutation_active <= last ? mutation_active : 0;
}

// Writes the numbers that were reached since the last call into `numbers`, and how many they are is the result.
int32_t mutation_take_reached(int32_t *numbers, int32_t capacity);

#endif
