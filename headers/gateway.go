package headers

func gatewayForm(r *refused) any {
	code, message := "RATE_LIMITED", "Too many requests."
	if r.daily {
		code, message = "DAILY_LIMIT_REACHED", "Daily send limit reached."
	}
	return struct {
		Success bool      `json:"success"`
		Data    *struct{} `json:"data"`
		Error   string    `json:"error"`
		Code    string    `json:"code"`
	}{false, nil, r.message(message), code}
}
