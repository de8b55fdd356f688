//go:build race

package main

// most is the largest plan that is used up request by request, by its requests per
// day. The race detector takes its time.
const most = 10_000
