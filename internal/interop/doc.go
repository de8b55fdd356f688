// Package interop holds tests that let the library's middleware and transport speak
// with other people's clients and servers. It is a module of its own for the sake of
// those. What each of them gets wrong is listed beside its test.
//
// The tests of express-rate-limit run it in a Node process, whose packages are
// installed by npm from express/package-lock.json into a folder for one run.
package interop
