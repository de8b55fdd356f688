// Package wapace holds no code; it is the map of a library that paces WhatsApp
// sending.
//
// A service says what each of its sending numbers may do, hands over a function
// that delivers one message, and gets a queue that keeps every limit, never
// blindly sends a message twice, and can say why a message waits and when it
// will go.
//
//	policy             what an account may do: plain data
//	  ^
//	limiter            when it may do it: (state, time) -> Decision, never waits
//	limiter/registry   which account has which policy, and who changed that
//	  ^
//	queue              waits and sends: the only goroutines and timers
//	  ^
//	queue/queuetest    a scripted sender, a clock and an audit for your tests
//	queue/storetest    what every store of a queue must do
//
// and beside the queue, on policy and limiter too:
//
//	headers            how limits are spoken over HTTP: print, parse, middleware, transport
//
// Imports point up the map and never down.
//
// # Where to start
//
//   - To send paced messages: [github.com/wapace/wapace/queue].
//   - To ask "may I send now, and if not, when?" and do the waiting yourself:
//     [github.com/wapace/wapace/limiter].
//   - To choose or write the limits: [github.com/wapace/wapace/policy].
//   - To let accounts choose among policies, and keep what they chose:
//     [github.com/wapace/wapace/limiter/registry].
//   - To tell HTTP clients of limits, or to obey those of a server:
//     [github.com/wapace/wapace/headers].
//   - To test your own throttling without waiting for it:
//     [github.com/wapace/wapace/queue/queuetest].
//
// Whole programs are in the repository: examples/plan forecasts a campaign,
// examples/quickstart paces one from a CSV file, examples/middleware limits an API,
// examples/policyapi lets its users choose a policy, and examples/throttletest is a
// unit test of throttling as a user would write it.
package wapace
