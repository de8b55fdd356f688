package mask_test

import (
	"fmt"

	"github.com/wapace/wapace/internal/mask"
)

func ExamplePhone() {
	fmt.Printf("%q\n", mask.Phone("44770090123"))
	fmt.Printf("%q\n", mask.Phone("+44 7700 900123"))
	fmt.Printf("%q\n", mask.Phone("900123"))
	// Output:
	// "4477*****23"
	// "+44 77** ****23"
	// "******"
}
