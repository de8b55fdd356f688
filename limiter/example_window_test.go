package limiter_test

import (
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
)

func ExampleNewWindow() {
	w, err := limiter.NewWindow(2, time.Minute)
	if err != nil {
		fmt.Println(err)
		return
	}
	noon := time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC)
	for _, after := range []time.Duration{0, 40 * time.Second, 50 * time.Second, 60 * time.Second} {
		now := noon.Add(after)
		if w.AllowN(now, 1) {
			fmt.Println(after, "allowed, left:", w.Remaining(now))
			continue
		}
		wait, _ := w.RetryAfter(now, 1)
		fmt.Println(after, "refused, room in", wait)
	}
	// Output:
	// 0s allowed, left: 1
	// 40s allowed, left: 0
	// 50s refused, room in 10s
	// 1m0s allowed, left: 0
}
