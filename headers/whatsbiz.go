package headers

func whatsBizForm(r *refused) any {
	type details struct {
		Code    int    `json:"code"`
		Title   string `json:"title"`
		Message string `json:"message"`
	}
	return struct {
		Status string  `json:"status"`
		Error  details `json:"error"`
	}{"error", details{130429, "Rate limit hit", r.message("Message throughput has been exceeded.")}}
}
