package main

import (
	"runtime"
	"time"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/policy"
)

// A work is something to do, and who does it beside us.
type work struct {
	name  string
	pairs []pair
}

// A pair is us and one peer, doing the same.
type pair struct {
	peer         string
	ours, theirs builder // theirs is nil where only our memory is measured
}

// works are all works. A new one is a row here.
func works(people *crowd) []work {
	var (
		given   = wapace(bucket(steady()), steadyStep)
		read    = wapaceNow(bucket(endless()))
		refused = refusing(wapace(bucket(spent()), spentStep))
		cores   = runtime.GOMAXPROCS(0)
	)
	return []work{
		{"one-bucket", []pair{
			{"x/time/rate", given, xtime(steady(), steadyStep)},
			{"x/time/rate in a locked map", given, xtimeMap(steady(), steadyStep)},
			{"uber-go/ratelimit", given, uber(steady(), steadyStep)},
			{"throttled", given, throttledGCRA(steady(), steadyStep)},
			{"sethvargo/go-limiter", read, sethvargo(endless())},
			{"ulule/limiter", read, ulule(endless())},
			{"failsafe-go", read, failsafe(endless())},
			{"go-chi/httprate", read, chi(endless())},
		}},
		{"standard", []pair{
			{"x/time/rate", wapace(policy.Standard(), standardStep), xtime(quota{1, time.Minute}, standardStep)},
		}},
		{"five-rules", []pair{
			{"4 x/time/rate under one lock", wapace(fiveRules(), fiveStep), xtimeSet(fiveStep,
				quota{8, time.Minute}, quota{400, time.Hour}, quota{10_000, 24 * time.Hour}, quota{1, 9 * time.Second})},
		}},
		{"refused", []pair{
			{"x/time/rate", refused, refusing(xtime(spent(), spentStep))},
			{"wapace allowed", refused, given},
		}},
		{"refused-standard", []pair{
			{"wapace allowed", refusing(wapace(policy.Standard(), spentStep)), wapace(policy.Standard(), standardStep)},
		}},
		{"million-serial", []pair{
			{"x/time/rate in a locked map", wapaceCrowd(people, 1), xtimeCrowd(people, 1)},
		}},
		{"million-parallel", []pair{
			{"x/time/rate in a locked map", wapaceCrowd(people, cores), xtimeCrowd(people, cores)},
		}},
		{"middleware", []pair{
			{"go-chi/httprate", wapaceServed(bucket(endless()), headers.XRateLimit), chiServed(endless())},
			{"sethvargo/go-limiter", wapaceServed(bucket(endless()), headers.XRateLimit), sethvargoServed(endless())},
		}},
		{"middleware-refused", []pair{
			{"go-chi/httprate", refusing(wapaceServed(bucket(scarce()), headers.XRateLimit)), refusing(chiServed(scarce()))},
			{"sethvargo/go-limiter", refusing(wapaceServed(bucket(scarce()), headers.XRateLimit)), refusing(sethvargoServed(scarce()))},
		}},
		{"middleware-draft", []pair{
			{"go-chi/httprate", wapaceServed(bucket(endless())), chiServed(endless())},
		}},
		{"window-memory", []pair{{peer: "none", ours: fullWindows(people)}}},
	}
}
