// Nothing but the headers that CMake precompiles for all unit tests.
