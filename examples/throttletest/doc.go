// Package throttletest is a small service that sends through wapace, and three
// ways to test its pace without waiting for it. Read the tests; each shows that
// six messages go out at exactly 0, 10, 20, 60, 70 and 80 s.
//
//   - mock_test.go gives the queue a clock of github.com/benbjohnson/clock and
//     drives it with Step. For programs that pass such a clock around already.
//   - synctest_test.go leaves the queue its real clock and calls Run inside a
//     testing/synctest bubble, as the program itself does.
//   - queuetest_test.go takes queue, sender and clock from queue/queuetest, which
//     also audits the log against the policy. The shortest way.
package throttletest
