"""Tools that people really give to a model: names, parameters, descriptions, and how one asks for them.

A family's parameters are (names, kind of value, schema type or enum values). A question names the values of parameters 0, 1, 2
as {0}, {1}, {2}; one that leaves a parameter out leaves it out of the call too, if it is optional (marked by a `?`).
"""

FAMILIES = {
    "weather": dict(
        names="get_weather weather get_current_weather current_weather fetch_weather getWeather check_weather weather_lookup get-weather",
        parameters=[("location|city|place|town", "city", "string"), ("unit?|units?", "enum", "celsius|fahrenheit")],
        descriptions=["Get the weather of a city.", "Get the weather in a city.", "Get the current weather for a location.", "Get the weather for a given city.", "Returns the weather.",
                      "Lookup the weather for a given city in either celsius or fahrenheit", "Look up the weather in a place.", "Current weather of a city", ""],
        asks=["What is the weather in {0}?", "What's the weather like in {0}?", "How is the weather in {0}?", "Weather in {0}?", "Is it raining in {0}?",
              "Tell me the weather in {0}.", "What is the weather for {0}?", "Get the weather for {0}.", "How warm is it in {0}?", "weather in {0}",
              "Can you check the weather in {0}?", "Is it cold in {0} today?", "What is the weather like in {0} right now?", "How hot is it in {0}?",
              "What is the weather in {0} today?", "What is the weather in {0} in {1}?", "Tell me the weather in {0} in {1}."]),
    "forecast": dict(
        names="get_forecast forecast weather_forecast", parameters=[("city|location", "city", "string"), ("days|count", "small", "integer")],
        descriptions=["Get the weather forecast for some days.", "Forecast of the next days for a city."],
        asks=["What is the forecast for {0} for the next {1} days?", "Forecast for {0} for {1} days", "Get the {1} day forecast for {0}.",
              "Show me the forecast of {0} for {1} days."]),
    "time": dict(
        names="get_time time_in current_time get_current_time world_clock clock", parameters=[("city|timezone|location|place", "city", "string")],
        descriptions=["Get the time in a city.", "Get the current time of a place.", "Tells the local time of a city.", "Current time in a timezone"],
        asks=["What time is it in {0}?", "What is the time in {0}?", "Tell me the time in {0}.", "Current time in {0}?", "What's the time in {0}?",
              "Give me the local time in {0}.", "How late is it in {0}?"]),
    "now": dict(
        names="now get_time current_time get_date today", parameters=[], descriptions=["Get the current time.", "Returns the current date and time.", "The time now."],
        asks=["What time is it?", "What is the time?", "Tell me the time.", "What time is it now?", "What day is it today?", "What is the date today?"]),
    "add": dict(
        names="add sum add_numbers plus addition calculate_sum", parameters=[("a|x|first|left|num1", "int", "integer|number"), ("b|y|second|right|num2", "int", "integer|number")],
        descriptions=["Add two numbers.", "Adds two integers together.", "Returns the sum of two numbers.", "Add a and b.", "Sum of two numbers"],
        asks=["What is {0} + {1}?", "{0} + {1}", "{0}+{1}", "What is {0} plus {1}?", "Add {0} and {1}.", "Compute {0} + {1}.", "What's {0} + {1}?",
              "Calculate {0} + {1}.", "What is the sum of {0} and {1}?", "Please add {0} and {1}.", "How much is {0} plus {1}?", "{0} plus {1}"]),
    "subtract": dict(
        names="subtract minus difference sub", parameters=[("a|x|first|left", "int", "integer|number"), ("b|y|second|right", "int", "integer|number")],
        descriptions=["Subtract one number from another.", "Subtracts b from a.", "Returns the difference of two numbers."],
        asks=["What is {0} - {1}?", "{0} - {1}", "{0}-{1}", "What is {0} minus {1}?", "Subtract {1} from {0}.", "Calculate {0} - {1}.", "How much is {0} minus {1}?"]),
    "multiply": dict(
        names="multiply product times mul multiply_numbers", parameters=[("a|x|first|left", "int", "integer|number"), ("b|y|second|right", "int", "integer|number")],
        descriptions=["Multiply two numbers.", "Multiplies two integers.", "Returns the product of two numbers.", "Multiply a by b."],
        asks=["What is {0} * {1}?", "{0} * {1}", "{0}*{1}", "What is {0} times {1}?", "Multiply {0} by {1}.", "Multiply {0} and {1}.", "{0} x {1}",
              "What is the product of {0} and {1}?", "Calculate {0} times {1}."]),
    "divide": dict(
        names="divide division quotient div", parameters=[("a|x|dividend", "int", "integer|number"), ("b|y|divisor", "int", "integer|number")],
        descriptions=["Divide two numbers.", "Divides a by b.", "Returns the quotient of two numbers."],
        asks=["What is {0} / {1}?", "{0} / {1}", "What is {0} divided by {1}?", "Divide {0} by {1}.", "Calculate {0} / {1}."]),
    "calculate": dict(
        names="calculate calculator calc evaluate evaluate_expression math", parameters=[("expression|formula|expr", "expression", "string")],
        descriptions=["Evaluate an expression.", "Calculate a mathematical expression.", "A calculator.", "Evaluates a formula and returns the result."],
        asks=["What is {0}?", "Calculate {0}.", "Calculate {0}", "Evaluate {0}", "Compute {0}.", "{0}", "How much is {0}?", "Use the calculator for {0}."]),
    "search": dict(
        names="search web_search search_web google find_pages search_docs", parameters=[("query|q|text|term", "phrase", "string")],
        descriptions=["Search the web.", "Search for pages on a topic.", "Finds documents that match a query.", "Web search"],
        asks=["Search for {0}.", "Search the web for {0}.", "Find pages about {0}.", "Look up {0} on the web.", "search {0}", "Can you search for {0}?",
              "Search for \"{0}\".", "Please search the web for {0}"]),
    "email": dict(
        names="send_email email send_mail mail", parameters=[("to|recipient|address", "email", "string"), ("subject?", "phrase", "string"), ("body|text|message", "text", "string")],
        descriptions=["Send an email.", "Sends an email to someone.", "Send a mail to an address."],
        asks=["Send an email to {0} saying {2}.", "Email {0}: {2}", "Send an email to {0} with subject {1} and text {2}.", "Write an email to {0} that says {2}.",
              "Send an email to {0} with the subject \"{1}\" and the body \"{2}\"."]),
    "message": dict(
        names="send_message message send_text send_sms notify_user post_message", parameters=[("to|recipient|user|person|contact", "person", "string"), ("message|text|body|content", "text", "string")],
        descriptions=["Send a message to a person.", "Sends a text to a contact.", "Send somebody a short message."], shuffle=True,
        asks=["Send {1} to {0}.", "Send \"{1}\" to {0}.", "Send a message to {0} saying {1}.", "Message {0}: {1}", "Tell {0} that {1}.", "Text {0}: {1}",
              "Send {0} the message {1}.", "Send the message \"{1}\" to {0}"]),
    "read_file": dict(
        names="read_file open_file cat view_file get_file Read", parameters=[("path|file|filename|file_path", "path", "string")],
        descriptions=["Read a file.", "Reads the text of a file.", "Returns the contents of a file.", "Open a file and show it."],
        asks=["Read {0}.", "Read the file {0}.", "Show me {0}.", "What is in {0}?", "Open {0}.", "Show the contents of {0}", "Read {0}", "What does {0} say?",
              "Please read the file {0}", "Open the file {0}."]),
    "list_files": dict(
        names="list_files ls list_directory list_dir", parameters=[("path|directory|folder|dir", "folder", "string")],
        descriptions=["List the files of a folder.", "Lists a directory.", "Shows which files are in a directory."],
        asks=["List the files in {0}.", "Which files are in {0}?", "List {0}", "Show the files in {0}.", "What files are in the folder {0}?", "List the directory {0}."]),
    "write_file": dict(
        names="write_file save_file create_file Write", parameters=[("path|file|filename|file_path", "path", "string"), ("content|text|contents", "text", "string")],
        descriptions=["Write a file.", "Writes text to a file.", "Saves text in a file."], shuffle=True,
        asks=["Write {1} to {0}.", "Write \"{1}\" to {0}.", "Save {1} in {0}.", "Write {1} into the file {0}", "Create the file {0} with the text {1}."]),
    "delete_file": dict(
        names="delete_file remove_file rm", parameters=[("path|file|filename", "path", "string")],
        descriptions=["Delete a file.", "Removes a file."], asks=["Delete {0}.", "Delete the file {0}.", "Remove {0}", "Please delete {0}."]),
    "run": dict(
        names="run_command bash run shell execute terminal Bash", parameters=[("command|cmd", "command", "string")],
        descriptions=["Run a command.", "Runs a shell command.", "Execute a command in the terminal."],
        asks=["Run {0}", "Run the command {0}", "Execute {0}", "Run `{0}`.", "Please run {0}", "Run `{0}` in the shell."]),
    "price": dict(
        names="get_price price price_of lookup_price product_price", parameters=[("product|item|name|article", "word", "string")],
        descriptions=["Get the price of a product.", "Look up what an item costs.", "Returns the price of an article."],
        asks=["What is the price of {0}?", "How much is {0}?", "How much does {0} cost?", "What does {0} cost?", "Get the price of {0}.", "Price of {0}?"]),
    "currency": dict(
        names="convert_currency currency exchange convert_money", parameters=[("amount|value", "int", "number|integer"), ("from|source|from_currency", "currency", "string"), ("to|target|to_currency", "currency", "string")],
        descriptions=["Convert money from one currency to another.", "Converts an amount into another currency.", "Currency conversion"],
        asks=["Convert {0} {1} to {2}.", "How much is {0} {1} in {2}?", "What is {0} {1} in {2}?", "Exchange {0} {1} into {2}.", "{0} {1} to {2}", "Change {0} {1} to {2}."]),
    "unit": dict(
        names="convert_units convert unit_converter convert_unit", parameters=[("value|amount|number", "int", "number|integer"), ("from_unit|from|source", "unit", "string"), ("to_unit|to|target", "unit", "string")],
        descriptions=["Convert a value from one unit to another.", "Converts units.", "Unit conversion"],
        asks=["Convert {0} {1} to {2}.", "How many {2} are {0} {1}?", "What is {0} {1} in {2}?", "{0} {1} in {2}", "Convert {0} {1} into {2}"]),
    "timer": dict(
        names="set_timer start_timer timer", parameters=[("minutes|duration|time", "small", "integer|number")],
        descriptions=["Set a timer.", "Starts a timer of some minutes.", "Sets a timer for a number of minutes."],
        asks=["Set a timer for {0} minutes.", "Start a timer of {0} minutes.", "Timer for {0} minutes", "Set a {0} minute timer.", "Remind me in {0} minutes."]),
    "alarm": dict(
        names="set_alarm alarm wake_me", parameters=[("time|at|when", "time", "string")],
        descriptions=["Set an alarm.", "Sets an alarm for a time."], asks=["Set an alarm for {0}.", "Wake me at {0}.", "Set an alarm at {0}", "Alarm at {0}."]),
    "translate": dict(
        names="translate translate_text translator", parameters=[("text|phrase|sentence", "phrase", "string"), ("language|target|to|target_language", "language", "string")],
        descriptions=["Translate a text.", "Translates text into another language.", "Translate a phrase to a language."],
        asks=["Translate {0} into {1}.", "Translate \"{0}\" to {1}.", "Translate {0} to {1}", "How do you say {0} in {1}?", "What is {0} in {1}?", "Say {0} in {1}."]),
    "user": dict(
        names="get_user lookup_user find_user user_info get_customer", parameters=[("name|user|username|customer", "person", "string")],
        descriptions=["Look up a user by name.", "Get the data of a customer.", "Finds a user."],
        asks=["Find the user {0}.", "Look up {0}.", "Who is the user {0}?", "Look up the user {0}", "Get the data of user {0}.", "Find {0} among the users."]),
    "order": dict(
        names="get_order order_status lookup_order track_order check_order", parameters=[("order_id|id|order|number", "id", "string")],
        descriptions=["Get the status of an order.", "Looks up an order by its id.", "Tracks an order."],
        asks=["Where is my order {0}?", "What is the status of order {0}?", "Track order {0}.", "Look up order {0}.", "Check order {0}", "Has order {0} been sent?"]),
    "lights": dict(
        names="set_lights control_lights lights switch_light turn_light", parameters=[("room|place|area", "room", "string"), ("state|mode|action", "enum", "on|off")],
        descriptions=["Turn the lights in a room on or off.", "Switches the light of a room.", "Control the lights.", "Switch the lights of a room."], shuffle=True,
        asks=["Turn {1} the lights in the {0}.", "Turn the lights {1} in the {0}.", "Switch {1} the {0} light.", "Lights {1} in the {0}", "Turn the {0} lights {1}."]),
    "temperature": dict(
        names="set_temperature thermostat set_thermostat heat", parameters=[("room|area", "room", "string"), ("temperature|degrees|value", "small", "integer|number")],
        descriptions=["Set the temperature of a room.", "Sets the thermostat of a room to some degrees."],
        asks=["Set the temperature in the {0} to {1}.", "Set the {0} to {1} degrees.", "Heat the {0} to {1} degrees.", "Make the {0} {1} degrees warm."]),
    "music": dict(
        names="play_music play play_song start_song", parameters=[("song|title|name|track", "phrase", "string")],
        descriptions=["Play a song.", "Plays music by its title."], asks=["Play {0}.", "Play the song {0}.", "Play {0}", "Start the song {0}.", "Please play {0}"]),
    "event": dict(
        names="create_event add_event schedule schedule_meeting", parameters=[("title|name|subject", "phrase", "string"), ("date|day", "date", "string"), ("time?", "time", "string")],
        descriptions=["Create an event in the calendar.", "Adds a meeting to the calendar."],
        asks=["Schedule {0} on {1} at {2}.", "Add {0} to my calendar on {1}.", "Create an event {0} on {1} at {2}.", "Plan {0} on {1}."]),
    "note": dict(
        names="add_note save_note note take_note", parameters=[("text|note|content", "phrase", "string")],
        descriptions=["Save a note.", "Writes a note down."], asks=["Note: {0}", "Make a note: {0}", "Save the note {0}.", "Take a note: {0}", "Note down {0}."]),
    "reminder": dict(
        names="remind create_reminder add_reminder set_reminder", parameters=[("text|task|what", "phrase", "string"), ("time|when|at", "time", "string")],
        descriptions=["Set a reminder.", "Reminds the user of something at a time."], asks=["Remind me of {0} at {1}.", "Set a reminder for {0} at {1}.", "At {1}, remind me of {0}."]),
    "joke": dict(
        names="get_joke joke tell_joke", parameters=[], descriptions=["Get a joke.", "Tells a joke."], asks=["Tell me a joke.", "Give me a joke", "A joke please", "Do you know a joke?"]),
    "random": dict(
        names="random_number roll_dice dice random", parameters=[("max|sides|limit", "small", "integer")],
        descriptions=["Roll a dice.", "Get a random number."], asks=["Roll a dice with {0} sides.", "Give me a random number up to {0}.", "Random number below {0}"]),
    "capital": dict(
        names="get_capital capital capital_of", parameters=[("country|land", "city", "string")],
        descriptions=["Get the capital of a country.", "Returns the capital city."], asks=["What is the capital of {0}?", "Capital of {0}?", "Tell me the capital of {0}."]),
    "population": dict(
        names="get_population population population_of", parameters=[("city|country|place", "city", "string")],
        descriptions=["Get the population of a place.", "How many people live in a city."],
        asks=["What is the population of {0}?", "How many people live in {0}?", "Population of {0}?"]),
    "define": dict(
        names="define dictionary lookup_word define_word", parameters=[("word|term", "word", "string")],
        descriptions=["Look up a word in the dictionary.", "Get the definition of a word."], asks=["Define {0}.", "What does {0} mean?", "Look up the word {0}.", "Definition of {0}?"]),
    "stock_news": dict(
        names="get_news news headlines latest_news", parameters=[("topic|subject|query", "word", "string")],
        descriptions=["Get the news on a topic.", "Latest headlines about something."],
        asks=["What is the news about {0}?", "Get the news on {0}.", "News on {0}?", "Show me the headlines about {0}.", "Any news about {0}?"]),
    "flight": dict(
        names="book_flight find_flights search_flights get_flights", parameters=[("origin|from|departure", "city", "string"), ("destination|to|arrival", "city", "string"), ("date?|day?", "date", "string")],
        descriptions=["Book a flight.", "Finds flights between two cities.", "Search for a flight from one city to another."],
        asks=["Book a flight from {0} to {1}.", "Find flights from {0} to {1}.", "Book a flight from {0} to {1} on {2}.", "Flights from {0} to {1} on {2}?", "I want to fly from {0} to {1}."]),
    "hotel": dict(
        names="book_hotel find_hotel search_hotels reserve_room", parameters=[("city|location|place", "city", "string"), ("nights|days", "small", "integer")],
        descriptions=["Book a hotel.", "Finds a hotel in a city for some nights.", "Reserve a hotel room."],
        asks=["Book a hotel in {0} for {1} nights.", "Find a hotel in {0} for {1} nights.", "I need a hotel in {0} for {1} nights.", "Hotel in {0} for {1} nights"]),
    "route": dict(
        names="get_route directions get_directions navigate", parameters=[("start|from|origin", "city", "string"), ("end|to|destination", "city", "string")],
        descriptions=["Get directions from one place to another.", "Finds the route between two places."],
        asks=["How do I get from {0} to {1}?", "Get directions from {0} to {1}.", "Show the route from {0} to {1}.", "Navigate from {0} to {1}."]),
    "restaurant": dict(
        names="find_restaurant restaurants search_restaurants", parameters=[("city|place|location", "city", "string"), ("food|cuisine|kind", "word", "string")],
        descriptions=["Find a restaurant.", "Finds restaurants in a city by the kind of food."],
        asks=["Find a {1} restaurant in {0}.", "Where can I eat {1} in {0}?", "Find restaurants in {0} with {1}.", "Is there a {1} restaurant in {0}?"]),
    "recipe": dict(
        names="get_recipe find_recipe recipe", parameters=[("dish|food|name", "word", "string")],
        descriptions=["Get a recipe.", "Finds the recipe of a dish."], asks=["Get a recipe for {0}.", "How do I cook {0}?", "Find a recipe for {0}.", "Recipe for {0}?"]),
    "movie": dict(
        names="find_movie get_movie movie_info search_movies", parameters=[("title|name|movie", "phrase", "string")],
        descriptions=["Look up a movie.", "Finds a movie by its title."], asks=["Find the movie {0}.", "Tell me about the movie {0}.", "Look up the movie {0}.", "Movie {0}"]),
    "book": dict(
        names="find_book get_book book_info search_books", parameters=[("author|writer", "person", "string")],
        descriptions=["Find books of an author.", "Which books did an author write."],
        asks=["Find books by {0}.", "Which books did {0} write?", "Show me the books of {0}.", "Books by {0}?"]),
    "score": dict(
        names="get_score match_result game_score", parameters=[("team|club", "word", "string")],
        descriptions=["Get the score of a team.", "How a team played."], asks=["How did {0} play?", "What is the score of {0}?", "Did {0} win?", "Get the score of {0}."]),
    "tax": dict(
        names="calculate_tip tip get_tip", parameters=[("bill|amount|total", "int", "number|integer"), ("percent|rate", "small", "integer|number")],
        descriptions=["Calculate a tip.", "The tip for a bill at some percent."],
        asks=["What is a {1} percent tip on {0}?", "Calculate a {1}% tip for {0}.", "Tip for a bill of {0} at {1} percent?"]),
    "delete_file": dict(
        names="delete_file remove_file rm unlink", parameters=[("path|file|filename", "path", "string")],
        descriptions=["Delete a file.", "Removes a file."], asks=["Delete {0}.", "Remove the file {0}.", "Delete the file {0}", "Please delete {0}."]),
    "copy_file": dict(
        names="copy_file move_file rename_file cp", parameters=[("source|from|old", "path", "string"), ("destination|to|new", "path", "string")],
        descriptions=["Copy a file.", "Moves a file to another path."], asks=["Copy {0} to {1}.", "Move {0} to {1}.", "Rename {0} to {1}.", "Copy the file {0} to {1}"]),
    "grep": dict(
        names="grep search_files find_in_files Grep", parameters=[("pattern|text|regex", "word", "string"), ("path|folder|directory", "folder", "string")],
        descriptions=["Search the files of a folder.", "Finds a pattern in files."],
        asks=["Search for {0} in {1}.", "Find {0} in the folder {1}.", "Grep {0} in {1}", "Where is {0} used in {1}?"]),
    "commit": dict(
        names="git_commit commit save_changes", parameters=[("message|text", "phrase", "string")],
        descriptions=["Commit the changes.", "Makes a commit with a message."], asks=["Commit with the message {0}.", "Commit the changes: {0}", "Commit as \"{0}\"."]),
    "query": dict(
        names="query_table count_rows get_rows sql", parameters=[("table|name", "word", "string"), ("limit|count", "small", "integer")],
        descriptions=["Get rows of a table.", "Reads some rows of a database table."],
        asks=["Show {1} rows of {0}.", "Get {1} rows from the table {0}.", "Read {1} rows of the table {0}."]),
    "call": dict(
        names="call_person phone_call call dial", parameters=[("name|contact|person", "person", "string")],
        descriptions=["Call a person.", "Makes a phone call."], asks=["Call {0}.", "Phone {0}", "Make a call to {0}.", "Ring {0}."]),
    "volume": dict(
        names="set_volume volume change_volume", parameters=[("level|value|percent", "small", "integer")],
        descriptions=["Set the volume.", "Changes how loud it is."], asks=["Set the volume to {0}.", "Volume {0}", "Change the volume to {0} percent.", "Make it {0} percent loud."]),
    "door": dict(
        names="lock_door control_door door", parameters=[("door|place|room", "room", "string"), ("action|state", "enum", "lock|unlock")],
        descriptions=["Lock or unlock a door.", "Controls a door."], asks=["{1} the {0} door.", "Please {1} the door of the {0}.", "{1} the door in the {0}"]),
    "password": dict(
        names="make_password generate_password new_password", parameters=[("length|size", "small", "integer")],
        descriptions=["Make a password.", "Generates a random password."], asks=["Make a password of {0} letters.", "Generate a password with length {0}.", "New password with {0} characters"]),
    "invoice": dict(
        names="create_invoice send_invoice bill", parameters=[("customer|client|name", "person", "string"), ("amount|total|sum", "int", "number|integer")],
        descriptions=["Create an invoice.", "Sends an invoice to a customer."],
        asks=["Create an invoice of {1} for {0}.", "Send {0} an invoice of {1}.", "Bill {0} for {1}.", "Invoice {0} for {1}."]),
    "pay": dict(
        names="send_money transfer pay make_payment", parameters=[("to|recipient|person", "person", "string"), ("amount|sum", "int", "number|integer")],
        descriptions=["Send money to a person.", "Makes a payment."], asks=["Send {1} dollars to {0}.", "Pay {0} {1} dollars.", "Transfer {1} to {0}.", "Pay {1} to {0}."]),
    "ticket": dict(
        names="create_ticket open_ticket new_issue report_bug", parameters=[("title|subject|summary", "phrase", "string")],
        descriptions=["Open a ticket.", "Reports a bug."], asks=["Open a ticket: {0}", "Create a ticket for {0}.", "Report a bug: {0}", "New ticket: {0}"]),
    "age": dict(
        names="get_age age birthday_of get_birthday", parameters=[("name|person", "person", "string")],
        descriptions=["Get the age of a person.", "When a person was born."], asks=["How old is {0}?", "What is the age of {0}?", "When was {0} born?", "Age of {0}?"]),
    "square": dict(
        names="square_root sqrt root", parameters=[("x|number|value|n", "int", "integer|number")],
        descriptions=["Get the square root.", "The square root of a number."], asks=["What is the square root of {0}?", "Square root of {0}", "sqrt {0}"]),
    "summary": dict(
        names="summarize summarise get_summary", parameters=[("path|file|document", "path", "string")],
        descriptions=["Summarize a document.", "Gives a summary of a file."], asks=["Summarize {0}.", "Give me a summary of {0}.", "Make a summary of the file {0}."]),
    "ping": dict(
        names="ping check_host is_up", parameters=[("host|server|address", "word", "string")],
        descriptions=["Ping a host.", "Checks that a server is up."], asks=["Ping {0}.", "Is {0} up?", "Is the server {0} up?", "Check the host {0}."]),
}

# Never trained on: they measure how the model gets along with tools it does not know.
UNSEEN = {
    "stock": dict(
        names="get_stock_price stock_quote", parameters=[("symbol|ticker|company", "word", "string")],
        descriptions=["Get the stock price of a company.", "Returns the stock quote for a symbol."],
        asks=["What is the stock price of {0}?", "Get the stock price for {0}.", "Stock quote of {0}?"]),
    "distance": dict(
        names="get_distance distance", parameters=[("start|origin", "city", "string"), ("end|destination", "city", "string")],
        descriptions=["Get the distance from one city to another."],
        asks=["What is the distance from {0} to {1}?", "Get the distance from {0} to {1}.", "Distance from {0} to {1}?"]),
    "horoscope": dict(
        names="get_horoscope horoscope", parameters=[("sign|person", "word", "string")], descriptions=["Get the horoscope of a sign.", "Today's horoscope"],
        asks=["What is the horoscope for {0}?", "Tell me the horoscope of {0}.", "Get the horoscope for {0}"]),
    "account": dict(
        names="create_account new_account register_account", parameters=[("name|user", "person", "string"), ("age|level", "small", "integer")],
        descriptions=["Create an account.", "Creates a new account for a user."],
        asks=["Create an account with {name0} {0} and {name1} {1}.", "Create an account for {0} with {name1} {1}."]),
    "inventory": dict(
        names="check_inventory inventory stock_level", parameters=[("product|item", "word", "string")],
        descriptions=["Check the inventory of a product.", "How many of a product are in the inventory."],
        asks=["Check the inventory of {0}.", "How many {0} are in the inventory?", "What is the inventory of {0}?"]),
    "altitude": dict(
        names="get_altitude altitude elevation_of", parameters=[("mountain|place|peak", "city", "string")],
        descriptions=["Get the altitude of a mountain.", "The altitude of a place above the sea."],
        asks=["What is the altitude of {0}?", "Tell me the altitude of {0}.", "Get the altitude of {0}."]),
}

CITIES = """Paris|London|Berlin|Rome|Madrid|Lyon|Tokyo|Oslo|Vienna|Prague|Warsaw|Lisbon|Dublin|Athens|Cairo|Delhi|Mumbai|Beijing|Shanghai|Seoul|
Bangkok|Sydney|Melbourne|Toronto|Montreal|Chicago|Boston|Seattle|Denver|Miami|Dallas|Houston|Atlanta|Lima|Bogota|Santiago|Nairobi|Lagos|Moscow|
Kyiv|Helsinki|Stockholm|Copenhagen|Hamburg|Munich|Cologne|Zurich|Geneva|Milan|Naples|Venice|Turin|Nice|Marseille|Barcelona|Valencia|Porto|Istanbul|
Ankara|Dubai|Hanoi|Manila|Jakarta|Singapore|France|Japan|Brazil|Canada|Egypt|India|China|Spain|Italy|Germany|Norway|Peru|Kenya|Chile|SF|NYC|LA|
San Francisco|New York|Los Angeles|Buenos Aires|Hong Kong|Cape Town|Mexico City|San Diego|New Delhi|Tel Aviv|Rio de Janeiro|Las Vegas|
San Francisco, CA|New York, NY|Austin, TX|Portland, OR|Paris, France|London, UK|Boston, MA|Berlin, Germany|Tokyo, Japan""".replace("\n", "").split("|")
LANGUAGES = "German French Spanish Italian Dutch Swedish Polish Czech Greek Turkish Arabic Hindi Chinese Japanese Korean Russian English Latin Danish Finnish".split()
CURRENCIES = "USD EUR GBP JPY CHF CAD AUD CNY INR SEK NOK PLN euros dollars pounds yen francs rupees".split()
UNITS = "km miles kg pounds meters feet inches cm liters gallons grams ounces celsius fahrenheit hours minutes seconds days yards tons".split()
ROOMS = "kitchen|living room|bedroom|bathroom|hall|office|garage|garden|cellar|dining room|attic|guest room".split("|")
DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|tomorrow|today|May 5|June 12|next Monday".split("|")
EXTENSIONS = "txt md py json csv swift html log yaml pdf toml".split()
COMMANDS = ["ls", "ls -la", "pwd", "git status", "cat {w}.{e}", "python {w}.py", "echo {w}", "make {w}", "swift build", "git log", "cd {w}", "mkdir {w}", "rm {w}.{e}",
            "date", "whoami", "grep {w} {v}.{e}", "npm test", "cp {w} {v}", "uname -a", "df -h"]
