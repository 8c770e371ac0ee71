"""New music in a producer's file: more bars after its last, or cells of it written anew."""
