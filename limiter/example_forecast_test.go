package limiter_test

import (
	"fmt"
	"os"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func ExampleForecast() {
	start := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	p, err := limiter.Forecast(policy.Standard(), 1200, start, 7)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := p.WriteTable(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// day         sent  total  first     last      bound by  held by
	// 2026-01-05  500   500    08:00:00  09:13:30  day       day 14h46m29s, gap 55m32s, pause 17m57s
	// 2026-01-06  500   1,000  00:00:00  01:14:27  day       day 22h45m32s, gap 55m36s, pause 18m50s
	// 2026-01-07  200   1,200  00:00:00  00:28:08  gap       gap 22m5s, pause 6m3s
	//
	// 1,200 messages under standard_policy: the last goes at 2026-01-07T00:28:08Z, 1d16h28m8s after the start
}

// How long the rest of a campaign takes, from how the account stands.
func ExampleLimiter_Forecast() {
	l, err := limiter.New(policy.Strict(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, time.January, 5, 23, 0, 0, 0, time.UTC)
	send := limiter.Request{Account: "447700900001", Action: policy.SendMessage}
	l.Allow(now, send)
	p, err := l.Forecast(now, send, 100)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range p.Days {
		fmt.Println(d.Date.Format(time.DateOnly), d.Sent, d.Bound())
	}
	fmt.Println(p.End.Sub(now))
	// Output:
	// 2026-01-05 59 gap
	// 2026-01-06 41 gap
	// 1h40m0s
}
