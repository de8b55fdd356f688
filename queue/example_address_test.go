package queue_test

import (
	"errors"
	"fmt"

	"github.com/wapace/wapace/queue"
)

func ExampleParseAddress() {
	for _, to := range []string{
		"+44 7700 900001",
		"447700900001:12@s.whatsapp.net",
		"٤٤٧٧٠٠٩٠٠٠٠١",
		"120363020000000042@G.US",
	} {
		a, err := queue.ParseAddress(to)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(a, a.IsGroup())
	}
	// Output:
	// 447700900001 false
	// 447700900001 false
	// 447700900001 false
	// 120363020000000042@g.us true
}

func ExampleAddressError() {
	_, err := queue.ParseAddress("4477009A0123")
	fmt.Println(err)

	var bad *queue.AddressError
	if errors.As(err, &bad) {
		fmt.Printf("line %d: to %q: %s; %s\n", 6, bad.Value, bad.Reason, bad.Remedy)
	}
	// Output:
	// queue: to "4477***A**23": has the letter 'A'; write a phone number as digits, with its country code
	// line 6: to "4477***A**23": has the letter 'A'; write a phone number as digits, with its country code
}
