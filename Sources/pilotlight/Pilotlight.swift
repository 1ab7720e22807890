@main struct Pilotlight { static func main() {} }
