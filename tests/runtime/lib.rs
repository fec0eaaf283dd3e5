//! Nothing: the tests are in `server/`, and a package has to be a library or a program.
